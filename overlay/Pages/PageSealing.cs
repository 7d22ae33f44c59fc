using System;
using System.Runtime.InteropServices;
using Overlay.Files;

namespace Overlay.Pages;

/// <summary>
/// Write-back: the blocks of a page file that differ from what is sealed are sealed. Comparing needs no record of what was written,
/// so nothing is lost with a process that wrote; what is written by mapping while it runs may be met by the next one.
/// </summary>
internal sealed unsafe class PageSealing(SealedFile file, PageFile pages, Func<bool> isCurrent) : IDisposable
{
    private const int LeastStep = 256 << 10;

    private readonly int _step = Math.Max(LeastStep, file.BlockSize);
    private byte* _memory = (byte*)NativeMemory.Alloc((nuint)Math.Max(LeastStep, file.BlockSize) * 2);

    private Span<byte> Mapped => new(_memory, _step);

    private Span<byte> Stored => new(_memory + _step, _step);

    /// <summary>Seals what differs in the blocks that [from, to) touches.</summary>
    /// <returns>False: the page file was given up meanwhile by the agent, which has sealed it.</returns>
    internal bool Run(long from, long to)
    {
        from -= from % file.BlockSize;
        while (from < to && from < file.Length)
        {
            // Where neither has anything there is nothing to compare.
            long data = file.SeekData(from);
            long next = Math.Min(data < 0 ? long.MaxValue : data, pages.SeekData(from));
            if (next >= to)
                return isCurrent();
            from = Math.Max(from, next - next % file.BlockSize);
            if (Differs(from, file.Length) && !SealStep(from))
                return false;
            from += _step;
        }
        return isCurrent();
    }

    public void Dispose()
    {
        if (_memory == null)
            return;
        new Span<byte>(_memory, _step * 2).Clear();
        NativeMemory.Free(_memory);
        _memory = null;
    }

    /// <summary>Fills both buffers, up to the file's end, and compares them.</summary>
    private bool Differs(long from, long length)
    {
        int count = (int)Math.Clamp(length - from, 0, _step);
        ReadAll(from, Mapped[..count], isStored: false);
        ReadAll(from, Stored[..count], isStored: true);
        return !Mapped[..count].SequenceEqual(Stored[..count]);
    }

    private bool SealStep(long from)
    {
        file.EnterWrite();
        try
        {
            // Once more under the lock: a write() changes both, one after the other.
            long length = Math.Min(file.CurrentLength, pages.Length);
            bool differs = Differs(from, length);
            // The agent first says that a page file is given up, then cuts it: what was read before this is sound.
            if (!isCurrent())
                return false;
            if (differs)
                file.KeepingRights(() => WriteDifferent(from, (int)Math.Clamp(length - from, 0, _step)));
            return true;
        }
        finally
        {
            file.ExitWrite();
        }
    }

    private void WriteDifferent(long from, int count)
    {
        for (int start = 0; start < count;)
        {
            int end = start;
            while (end < count && BlockDiffers(end, count))
                end = Math.Min(end + file.BlockSize, count);
            if (end > start)
                WriteAll(from + start, Mapped[start..end]);
            start = end == start ? start + file.BlockSize : end;
        }
    }

    private bool BlockDiffers(int start, int count)
    {
        int size = Math.Min(file.BlockSize, count - start);
        return !Mapped.Slice(start, size).SequenceEqual(Stored.Slice(start, size));
    }

    private void ReadAll(long offset, Span<byte> target, bool isStored)
    {
        int done = 0;
        while (done < target.Length)
        {
            int count = isStored ? file.Read(offset + done, target[done..]) : pages.Read(offset + done, target[done..]);
            if (count == 0)
                break;
            done += count;
        }
        target[done..].Clear();
    }

    private void WriteAll(long offset, ReadOnlySpan<byte> data)
    {
        for (int done = 0; done < data.Length;)
            done += file.Write(offset + done, data[done..]);
    }
}
