using System;
using System.Buffers.Binary;
using Overlay.Crypto;
using static Overlay.Format.FormatConstants;

namespace Overlay.Format;

/// <summary>What is wrong with a file that was asked to be opened; <see cref="Ok"/> if nothing.</summary>
public enum HeaderFault
{
    Ok,
    NotSealed,
    UnsupportedVersion,
    ForeignVolume,
    WrongKey,
    Damaged,
}

/// <summary>The first 256 bytes of a sealed file (format §4).</summary>
/// <remarks>
/// OFFSET SIZE FIELD: 0 8 magic · 8 2 version · 10 1 suite · 11 1 compression · 12 1 log2(B) · 13 1 flags · 14 2 features ·
/// 16 16 file id · 32 16 volume id · 48 8 key check · 56 8 size · 64 8 sync interval · 72 8 durable interval · 80 8 sequence ·
/// 88 4 boot · 92 4 and 200 8 <see cref="StateDigest"/> · 96 8 truncated from · 104 96 lost intervals · 208 16 nonce · 224 32 tag.
/// </remarks>
public struct FileHeader
{
    private const byte SealDomain = 1;
    private const int SealedPart = 208;
    private const int NonceOffset = 208;
    private const int TagOffset = 224;
    private const int LostOffset = 104;
    private const byte IndexedFlag = 1;
    private const ushort UnitsFeature = 1;

    public CipherSuite Suite { get; set; }
    public bool Compresses { get; set; }
    public int BlockSizeLog2 { get; set; }
    public bool IsIndexed { get; set; }

    /// <summary>There may be versions in units, which early releases do not know (format §4, §9).</summary>
    public bool HasUnits { get; set; }

    public long Size { get; set; }
    public ulong SyncInterval { get; set; }
    public ulong DurableInterval { get; set; }
    public ulong Sequence { get; set; }
    public uint Boot { get; set; }

    /// <summary>Not 0: a truncation from this size to <see cref="Size"/> is under way (format §6).</summary>
    public long TruncatedFrom { get; set; }

    public LostIntervals Lost { get; set; }

    public StateDigest Digest { get; set; }

    public static ReadOnlySpan<byte> FileIdOf(ReadOnlySpan<byte> page) => page.Slice(16, FileIdSize);

    public static ReadOnlySpan<byte> VolumeIdOf(ReadOnlySpan<byte> page) => page.Slice(32, VolumeIdSize);

    /// <summary>
    /// What earlier boots wrote and never synced may be lost. Intervals of this boot start behind theirs, and at the clock: a
    /// boot whose header was lost, but not its blocks, used others (format §7).
    /// </summary>
    public void BeginBoot(uint boot, ulong now)
    {
        ulong next = Math.Max(SyncInterval + 1, now);
        Lost = Lost.With(DurableInterval, next - 1);
        SyncInterval = next;
        Boot = boot;
    }

    /// <summary>Checks what needs no key; the fields may then be shown, but not trusted.</summary>
    public static HeaderFault Parse(ReadOnlySpan<byte> page, out FileHeader header)
    {
        header = default;
        if (page.Length < HeaderSize || !page[..8].SequenceEqual(Magic))
            return HeaderFault.NotSealed;
        if (BinaryPrimitives.ReadUInt16LittleEndian(page[8..]) != FormatConstants.Version || (BinaryPrimitives.ReadUInt16LittleEndian(page[14..]) & ~UnitsFeature) != 0)
            return HeaderFault.UnsupportedVersion;
        header.Suite = (CipherSuite)page[10];
        header.Compresses = page[11] == 1;
        header.BlockSizeLog2 = page[12];
        header.IsIndexed = (page[13] & IndexedFlag) != 0;
        header.HasUnits = BinaryPrimitives.ReadUInt16LittleEndian(page[14..]) == UnitsFeature;
        header.Size = BinaryPrimitives.ReadInt64LittleEndian(page[56..]);
        header.SyncInterval = BinaryPrimitives.ReadUInt64LittleEndian(page[64..]);
        header.DurableInterval = BinaryPrimitives.ReadUInt64LittleEndian(page[72..]);
        header.Sequence = BinaryPrimitives.ReadUInt64LittleEndian(page[80..]);
        header.Boot = BinaryPrimitives.ReadUInt32LittleEndian(page[88..]);
        header.TruncatedFrom = BinaryPrimitives.ReadInt64LittleEndian(page[96..]);
        bool isAscending = LostIntervals.TryRead(page[LostOffset..], out LostIntervals lost);
        header.Lost = lost;
        header.Digest = StateDigest.Read(page);
        bool isSane = CipherSuites.IsKnown(page[10]) && page[11] <= 1 && (page[13] & ~IndexedFlag) == 0 &&
            page[12] is >= LeastBlockSizeLog2 and <= GreatestBlockSizeLog2 && header.Size >= 0 && header.TruncatedFrom >= 0 &&
            header.DurableInterval < header.SyncInterval && isAscending && lost.Last < header.SyncInterval;
        return isSane ? HeaderFault.Ok : HeaderFault.Damaged;
    }

    /// <summary>
    /// Checks volume, key and tag. The tag covers the key check, so where it is right the key is; only where it is not, the check has to tell why.
    /// </summary>
    public static HeaderFault Authenticate(ReadOnlySpan<byte> page, ReadOnlySpan<byte> volumeId, DataKey key)
    {
        if (!VolumeIdOf(page).SequenceEqual(volumeId))
            return HeaderFault.ForeignVolume;
        Span<byte> associatedData = stackalloc byte[1 + SealedPart];
        associatedData[0] = SealDomain;
        page[..SealedPart].CopyTo(associatedData[1..]);
        bool isAuthentic = key.TryOpen(page.Slice(NonceOffset, 16), associatedData, page.Slice(TagOffset, key.TagSize), default) &&
            page[(TagOffset + key.TagSize)..HeaderSize].IndexOfAnyExcept((byte)0) < 0;
        if (isAuthentic)
            return HeaderFault.Ok;
        return Secret.Same(page.Slice(48, DataKey.KeyCheckSize), key.KeyCheck) ? HeaderFault.Damaged : HeaderFault.WrongKey;
    }

    /// <summary>Writes and seals the header at the start of <paramref name="page"/>.</summary>
    public readonly void Write(Span<byte> page, ReadOnlySpan<byte> fileId, ReadOnlySpan<byte> volumeId, DataKey key)
    {
        Span<byte> target = page[..HeaderSize];
        target.Clear();
        Magic.CopyTo(target);
        BinaryPrimitives.WriteUInt16LittleEndian(target[8..], FormatConstants.Version);
        target[10] = (byte)Suite;
        target[11] = Compresses ? (byte)1 : (byte)0;
        target[12] = (byte)BlockSizeLog2;
        target[13] = IsIndexed ? IndexedFlag : (byte)0;
        BinaryPrimitives.WriteUInt16LittleEndian(target[14..], HasUnits ? UnitsFeature : (ushort)0);
        fileId.CopyTo(target[16..]);
        volumeId.CopyTo(target[32..]);
        key.KeyCheck.CopyTo(target[48..]);
        BinaryPrimitives.WriteInt64LittleEndian(target[56..], Size);
        BinaryPrimitives.WriteUInt64LittleEndian(target[64..], SyncInterval);
        BinaryPrimitives.WriteUInt64LittleEndian(target[72..], DurableInterval);
        BinaryPrimitives.WriteUInt64LittleEndian(target[80..], Sequence);
        BinaryPrimitives.WriteUInt32LittleEndian(target[88..], Boot);
        BinaryPrimitives.WriteInt64LittleEndian(target[96..], TruncatedFrom);
        Lost.Write(target[LostOffset..]);
        Digest.Write(target);

        NonceSource.Next(target.Slice(NonceOffset, 16));
        Span<byte> associatedData = stackalloc byte[1 + SealedPart];
        associatedData[0] = SealDomain;
        target[..SealedPart].CopyTo(associatedData[1..]);
        key.Seal(target.Slice(NonceOffset, 16), associatedData, default, target.Slice(TagOffset, key.TagSize));
    }
}
