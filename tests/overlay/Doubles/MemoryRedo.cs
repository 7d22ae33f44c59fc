using System;
using Overlay.Files;

namespace Overlay.Tests.Doubles;

/// <summary>One inode's kept write; it stays as it is when its process dies.</summary>
public sealed class MemoryRedo(Func<bool> isDead) : IRedo
{
    private readonly byte[] _data = new byte[RedoRange.Room];
    private RedoRange _range;

    public bool IsPending { get; private set; }

    public bool Keeps => true;

    public void Begin(ReadOnlySpan<byte> fileId, long offset, ReadOnlySpan<byte> data, long tableOffset, ReadOnlySpan<byte> table)
    {
        if (isDead())
            return;
        if (IsPending)
            throw new InvalidOperationException("a kept write was passed over");
        if (offset / 4096 != (offset + data.Length - 1) / 4096)
            throw new InvalidOperationException("more than a page is replaced");
        data.CopyTo(_data);
        table.CopyTo(_data.AsSpan(data.Length));
        IsPending = true;
        _range = new RedoRange(SealedFile.IdOf(fileId), offset, data.Length, tableOffset);
    }

    public void End() => Drop();

    public bool TryFind(Span<byte> kept, out RedoRange range)
    {
        range = _range;
        if (IsPending)
            _data.AsSpan(0, _range.Length + _range.TableLength).CopyTo(kept);
        return IsPending;
    }

    public void Drop()
    {
        if (!isDead())
            IsPending = false;
    }

    /// <summary>For the processes that come after the one that died.</summary>
    public MemoryRedo Inherit(Func<bool> isHeirDead)
    {
        MemoryRedo heir = new(isHeirDead) { _range = _range, IsPending = IsPending };
        _data.CopyTo(heir._data, 0);
        return heir;
    }
}
