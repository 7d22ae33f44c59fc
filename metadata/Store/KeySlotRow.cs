using System;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Store;

/// <summary>One way to unlock the volume key: the volume key wrapped under what a secret yields.</summary>
public sealed record KeySlotRow(
    int Id, SlotKind Kind, int KeyVersion, ReadOnlyMemory<byte> Salt, PassphraseCost? Cost, ReadOnlyMemory<byte> SecretCheck,
    ReadOnlyMemory<byte> WrappedKey, DateTimeOffset Created, string Label)
{
    /// <summary>To this X25519 key a new volume key is sealed. Empty: the slot was made by an older Overlay and has not been used since.</summary>
    public ReadOnlyMemory<byte> PublicKey { get; init; }

    /// <summary>Shows that who wrote the public key had the volume key.</summary>
    public ReadOnlyMemory<byte> PublicKeySeal { get; init; }

    /// <summary>Of a slot that a PKCS#11 token opens: where it is, and what it opens.</summary>
    public string Token { get; init; } = "";

    public ReadOnlyMemory<byte> TokenData { get; init; }
}
