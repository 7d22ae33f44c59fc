using System;
using Overlay.Crypto;

namespace Overlay.Metadata.Protocol;

/// <summary>
/// The id and the key for one file to come. Its row is durable already; no one else has been or will be given it. After a
/// fork it is still only one: a child must forget the keys its parent has in stock.
/// </summary>
public readonly struct GrantedKey
{
    // Pinned, so that the collector leaves no second copy where Wipe does not reach. The key, and behind it what is derived of it.
    private readonly byte[] _secrets;

    internal GrantedKey(ReadOnlySpan<byte> fileId, ReadOnlySpan<byte> key, ReadOnlySpan<byte> derived)
    {
        FileId = fileId.ToArray();
        _secrets = GC.AllocateUninitializedArray<byte>(AgentMessage.KeySize + derived.Length, pinned: true);
        key.CopyTo(_secrets);
        derived.CopyTo(_secrets.AsSpan(AgentMessage.KeySize));
    }

    /// <summary>16 bytes.</summary>
    public byte[] FileId { get; }

    /// <summary>32 bytes, to be wiped by the caller when used.</summary>
    public ReadOnlySpan<byte> Key => _secrets.AsSpan(0, AgentMessage.KeySize);

    /// <summary>What <see cref="DataKey.Derive"/> makes of the key, or nothing: an older agent does not say it.</summary>
    public ReadOnlySpan<byte> Derived => _secrets.AsSpan(AgentMessage.KeySize);

    public void Wipe() => Secret.Wipe(_secrets);
}
