namespace Overlay.Files;

/// <summary>Tells the kernel of pieces of a backing file that will be read soon; those that lie side by side with one call.</summary>
/// <param name="isFirstRead">The first run is what is read next: to ask for it as well would be a call in vain.</param>
internal ref struct AskedPieces(IBackingFile backing, bool isFirstRead)
{
    private bool _leavesOut = isFirstRead;
    private long _start, _stop;

    public void Add(long offset, int length)
    {
        if (offset != _stop)
        {
            Flush();
            _start = offset;
        }
        _stop = offset + length;
    }

    /// <summary>After the last one.</summary>
    public void Flush()
    {
        if (_stop <= _start)
            return;
        if (!_leavesOut)
            backing.WillRead(_start, _stop - _start);
        _leavesOut = false;
        (_start, _stop) = (0, 0);
    }
}
