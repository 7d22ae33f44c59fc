using System;
using Overlay.Crypto;
using Overlay.Files;

namespace Overlay.Tests.Doubles;

/// <summary>What a store has of one file: its key, and while that is replaced the next one.</summary>
public sealed class TestKeys(byte[] current, byte[]? next = null) : IKeySource
{
    public byte[] Current { get; private set; } = current;

    public byte[]? Next { get; set; } = next;

    /// <summary>The key that somebody had got before; null: what is asked is asked of the store.</summary>
    public byte[]? Remembered { get; set; }

    /// <summary>How often the store was asked.</summary>
    public int Questions { get; private set; }

    /// <summary>Nobody answers.</summary>
    public bool IsGone { get; set; }

    /// <summary>The rekeying is done: the old key is destroyed.</summary>
    public void Promote() => (Current, Next) = (Next!, null);

    public bool TryGetKey(ReadOnlySpan<byte> fileId, Span<byte> key)
    {
        (Remembered ?? Current).CopyTo(key);
        return true;
    }

    public int GetKeysAnew(ReadOnlySpan<byte> fileId, Span<byte> keys)
    {
        Questions++;
        if (IsGone)
            throw new ErrnoException(Errno.ENOTCONN, "the agent cannot be reached");
        Current.CopyTo(keys);
        Next?.CopyTo(keys[DataKey.KeySize..]);
        return Next is null ? 1 : 2;
    }
}
