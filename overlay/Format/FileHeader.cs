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
/// OFFSET SIZE FIELD: 0 8 magic · 8 2 version · 10 1 suite · 11 1 compression · 12 1 log2(B) · 13 1 flags and key epoch · 14 2 features ·
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
    private const int KeyCheckOffset = 48;
    private const byte IndexedFlag = 1, NextKeyFlag = 0x40, PreviousKeyFlag = 0x80;
    private const int EpochShift = 1, EpochMask = KeyEpochs - 1;
    private const ushort UnitsFeature = 1, RekeyedFeature = 2, BasesFeature = 4;

    public CipherSuite Suite { get; set; }
    public bool Compresses { get; set; }
    public int BlockSizeLog2 { get; set; }
    public bool IsIndexed { get; set; }

    /// <summary>There may be versions in units, which early releases do not know (format §4, §9).</summary>
    public bool HasUnits { get; set; }

    /// <summary>There may be versions in units with a base, which somewhat later releases do not know; only where <see cref="HasUnits"/>.</summary>
    public bool HasBases { get; set; }

    /// <summary>Which of the file's keys seals this header and everything new, modulo 32 (format §4, Two keys).</summary>
    public int KeyEpoch { get; set; }

    /// <summary>There may be what the next key has sealed, although nothing new is sealed with it.</summary>
    public bool HasNextKey { get; set; }

    /// <summary>There may be what the previous key has sealed.</summary>
    public bool HasPreviousKey { get; set; }

    public readonly bool HasTwoKeys => HasNextKey || HasPreviousKey;

    /// <summary>Where <see cref="HasTwoKeys"/>: which the other one is.</summary>
    public readonly int OtherKeyEpoch => (HasNextKey ? KeyEpoch + 1 : KeyEpoch - 1) & EpochMask;

    private readonly bool IsRekeyed => KeyEpoch != 0 || HasTwoKeys;

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

    public static ReadOnlySpan<byte> KeyCheckOf(ReadOnlySpan<byte> page) => page.Slice(KeyCheckOffset, DataKey.KeyCheckSize);

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
        if (BinaryPrimitives.ReadUInt16LittleEndian(page[8..]) != FormatConstants.Version || (BinaryPrimitives.ReadUInt16LittleEndian(page[14..]) & ~(UnitsFeature | RekeyedFeature | BasesFeature)) != 0)
            return HeaderFault.UnsupportedVersion;
        header.Suite = (CipherSuite)page[10];
        header.Compresses = page[11] == 1;
        header.BlockSizeLog2 = page[12];
        header.IsIndexed = (page[13] & IndexedFlag) != 0;
        ushort features = BinaryPrimitives.ReadUInt16LittleEndian(page[14..]);
        header.HasUnits = (features & UnitsFeature) != 0;
        header.HasBases = (features & BasesFeature) != 0;
        bool isEpochSane = header.ReadEpoch(page[13], (features & RekeyedFeature) != 0);
        header.Size = BinaryPrimitives.ReadInt64LittleEndian(page[56..]);
        header.SyncInterval = BinaryPrimitives.ReadUInt64LittleEndian(page[64..]);
        header.DurableInterval = BinaryPrimitives.ReadUInt64LittleEndian(page[72..]);
        header.Sequence = BinaryPrimitives.ReadUInt64LittleEndian(page[80..]);
        header.Boot = BinaryPrimitives.ReadUInt32LittleEndian(page[88..]);
        header.TruncatedFrom = BinaryPrimitives.ReadInt64LittleEndian(page[96..]);
        bool isAscending = LostIntervals.TryRead(page[LostOffset..], out LostIntervals lost);
        header.Lost = lost;
        header.Digest = StateDigest.Read(page);
        bool isSane = CipherSuites.IsKnown(page[10]) && page[11] <= 1 && isEpochSane && (header.HasUnits || !header.HasBases) &&
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
        return Secret.Same(KeyCheckOf(page), key.KeyCheck) ? HeaderFault.Damaged : HeaderFault.WrongKey;
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
        target[13] = (byte)((IsIndexed ? IndexedFlag : 0) | KeyEpoch << EpochShift | (HasNextKey ? NextKeyFlag : 0) | (HasPreviousKey ? PreviousKeyFlag : 0));
        BinaryPrimitives.WriteUInt16LittleEndian(target[14..], (ushort)((HasUnits ? UnitsFeature : 0) | (IsRekeyed ? RekeyedFeature : 0) | (HasBases ? BasesFeature : 0)));
        fileId.CopyTo(target[16..]);
        volumeId.CopyTo(target[32..]);
        key.KeyCheck.CopyTo(target[KeyCheckOffset..]);
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

    /// <summary>False: without the feature the byte says nothing but "indexed"; with it there is something to say.</summary>
    private bool ReadEpoch(byte flags, bool isRekeyed)
    {
        KeyEpoch = flags >> EpochShift & EpochMask;
        HasNextKey = (flags & NextKeyFlag) != 0;
        HasPreviousKey = (flags & PreviousKeyFlag) != 0;
        return IsRekeyed == isRekeyed && !(HasNextKey && HasPreviousKey);
    }
}
