using System;
using Overlay.Crypto;

namespace Overlay.Metadata.Protocol;

/// <summary>
/// The id and the key for one file to come. Its row is durable already; no one else has been or will be given it. After a
/// fork it is still only one: a child must forget the keys its parent has in stock.
/// </summary>
public readonly struct GrantedKey
{
    internal GrantedKey(ReadOnlySpan<byte> fileId, ReadOnlySpan<byte> key)
    {
        FileId = fileId.ToArray();
        // Pinned, so that the collector leaves no second copy where Wipe does not reach.
        Key = GC.AllocateUninitializedArray<byte>(AgentMessage.KeySize, pinned: true);
        key.CopyTo(Key);
    }

    /// <summary>16 bytes.</summary>
    public byte[] FileId { get; }

    /// <summary>32 bytes, to be wiped by the caller when used.</summary>
    public byte[] Key { get; }

    public void Wipe() => Secret.Wipe(Key);
}
