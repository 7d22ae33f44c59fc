using System;
using System.Linq;
using System.Text;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Keys;

/// <summary>The Ed25519 key with which a volume signs what it certifies; made at first need, and kept wrapped in the store.</summary>
internal static class VolumeSigning
{
    private const string Name = "signing", TextPrefix = "overlay-sign-";

    /// <summary>The caller disposes of it.</summary>
    internal static SigningKey Open(UnlockedVolume volume)
    {
        using SecretMemory seed = new(SigningKey.SeedSize);
        if (!VolumeSecrets.TryRead(volume, Name, seed.Bytes, out _))
        {
            NonceSource.Fill(seed.Bytes);
            using SigningKey made = new(seed.Bytes);
            volume.Store.Connection.InTransaction(() =>
            {
                volume.CheckCurrent();
                VolumeSecrets.Insert(volume, Name, seed.Bytes, made.PublicKey);
            });
            // Somebody else may have been faster.
            _ = VolumeSecrets.TryRead(volume, Name, seed.Bytes, out _);
        }
        return new SigningKey(seed.Bytes);
    }

    /// <summary>As the store says it, without a key: as trustworthy as whoever can write the store. Null: nothing was ever signed.</summary>
    internal static byte[]? TryReadPublicKey(StoreConnection store) =>
        VolumeSecrets.ReadAll(store).Where(row => row.Name == Name).Select(row => row.PublicKey).FirstOrDefault();

    internal static string Text(ReadOnlySpan<byte> publicKey) => Encoding.ASCII.GetString(Bech32.Encode(TextPrefix, publicKey));

    internal static byte[]? TryParse(string text) =>
        Bech32.TryDecode(TextPrefix, Encoding.UTF8.GetBytes(text.Trim())) is { Length: SigningKey.PublicSize } key ? key : null;
}
