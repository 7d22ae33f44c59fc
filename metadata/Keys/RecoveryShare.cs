using System;
using System.Collections.Generic;
using System.Linq;
using Overlay.Crypto;

namespace Overlay.Metadata.Keys;

/// <summary>
/// One share of an identity, a line of text: "OVERLAY-SHARE-1…", Bech32 of version (1) | threshold (1) | number (1) | set (4: the first
/// bytes of the identity's public key) | share (32).
/// </summary>
internal sealed class RecoveryShare : IDisposable
{
    private const string Prefix = "overlay-share-";
    private const byte Version = 1;
    private const int SetSize = 4, HeadSize = 3 + SetSize;

    private readonly byte[] _data;

    private RecoveryShare(byte[] data) => _data = data;

    internal int Threshold => _data[1];

    internal byte Number => _data[2];

    internal ReadOnlySpan<byte> Set => _data.AsSpan(3, SetSize);

    /// <summary>Shares of an identity, numbered from 1.</summary>
    internal static List<RecoveryShare> Split(ReadOnlySpan<byte> privateKey, int threshold, int count)
    {
        byte[] publicKey = RecipientSeal.PublicKey(privateKey);
        byte[][] parts = new byte[count][];
        SecretSharing.Split(privateKey, threshold, parts);
        List<RecoveryShare> shares = [];
        for (int i = 0; i < count; i++)
        {
            byte[] data = GC.AllocateUninitializedArray<byte>(HeadSize + RecipientSeal.KeySize, pinned: true);
            (data[0], data[1], data[2]) = (Version, (byte)threshold, (byte)(i + 1));
            publicKey.AsSpan(0, SetSize).CopyTo(data.AsSpan(3));
            parts[i].CopyTo(data, HeadSize);
            Secret.Wipe(parts[i]);
            shares.Add(new RecoveryShare(data));
        }
        return shares;
    }

    /// <summary>Null: no share, or a character of it is wrong.</summary>
    internal static RecoveryShare? TryParse(ReadOnlySpan<byte> line)
    {
        byte[]? data = Bech32.TryDecode(Prefix, line);
        return data is { Length: HeadSize + RecipientSeal.KeySize } && data[0] == Version && data[1] > 0 && data[2] > 0 ? new RecoveryShare(data) : null;
    }

    /// <summary>The identity that they make; the caller wipes it. Null: they do not belong together, or one is forged.</summary>
    internal static byte[]? TryCombine(IReadOnlyList<RecoveryShare> shares)
    {
        RecoveryShare first = shares[0];
        if (shares.Any(share => share.Threshold != first.Threshold || !share.Set.SequenceEqual(first.Set)) || shares.DistinctBy(share => share.Number).Count() < first.Threshold)
            return null;
        List<RecoveryShare> used = shares.DistinctBy(share => share.Number).Take(first.Threshold).ToList();
        byte[][] parts = used.Select(share => share._data.AsSpan(HeadSize).ToArray()).ToArray();
        byte[] privateKey = GC.AllocateUninitializedArray<byte>(RecipientSeal.KeySize, pinned: true);
        SecretSharing.Combine(used.Select(share => share.Number).ToArray(), parts, privateKey);
        foreach (byte[] part in parts)
            Secret.Wipe(part);
        if (RecipientSeal.PublicKey(privateKey).AsSpan().StartsWith(first.Set))
            return privateKey;
        Secret.Wipe(privateKey);
        return null;
    }

    /// <summary>ASCII, in capital letters; the caller wipes it.</summary>
    internal byte[] ToText()
    {
        byte[] text = Bech32.Encode(Prefix, _data);
        for (int i = 0; i < text.Length; i++)
            if (text[i] is >= (byte)'a' and <= (byte)'z')
                text[i] &= 0xDF;
        return text;
    }

    public void Dispose() => Secret.Wipe(_data);
}
