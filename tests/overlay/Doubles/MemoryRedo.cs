using System;
using Overlay.Files;

namespace Overlay.Tests.Doubles;

/// <summary>One inode's kept write; it stays as it is when its process dies.</summary>
public sealed class MemoryRedo(Func<bool> isDead) : IRedo
{
    private byte[]? _data;
    private RedoRange _range;

    public bool IsPending => _data is not null;

    public void Begin(ReadOnlySpan<byte> fileId, long offset, ReadOnlySpan<byte> data)
    {
        if (isDead())
            return;
        if (_data is not null)
            throw new InvalidOperationException("a kept write was passed over");
        if (offset / 4096 != (offset + data.Length - 1) / 4096)
            throw new InvalidOperationException("more than a page is replaced");
        _data = data.ToArray();
        _range = new RedoRange(SealedFile.IdOf(fileId), offset, data.Length);
    }

    public void End() => Drop();

    public bool TryFind(Span<byte> page, out RedoRange range)
    {
        range = _range;
        _data?.CopyTo(page);
        return _data is not null;
    }

    public void Drop()
    {
        if (!isDead())
            _data = null;
    }

    /// <summary>For the processes that come after the one that died.</summary>
    public MemoryRedo Inherit(Func<bool> isHeirDead) => new(isHeirDead) { _data = _data, _range = _range };
}
