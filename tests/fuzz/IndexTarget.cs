using System;
using System.Collections.Generic;
using System.Linq;
using Overlay.Crypto;
using Overlay.Format;
using Overlay.Tests.Doubles;
using static Overlay.Format.FormatConstants;

namespace Overlay.Fuzz;

/// <summary>An index page: group record and entries. What is authentic is what was sealed, to the byte.</summary>
internal sealed class IndexTarget : Target
{
    private const int BlockSize = 4096;

    private readonly DataKey _key = DataKey.Import(CipherSuite.Aes256Gcm, SealedFixture.SecretKey);
    private readonly List<byte[]> _seeds = [];
    private readonly byte[] _stored = new byte[BlockSize + DataKey.TagFieldSize];
    private readonly byte[] _sealedText = new byte[BlockSize + DataKey.TagFieldSize];
    private readonly byte[] _plain = new byte[BlockSize];

    public IndexTarget()
    {
        foreach (bool isFull in new[] { false, true })
        {
            byte[] page = new byte[PageSize];
            GroupRecord record = new(page);
            for (int slot = 0; slot < (isFull ? GroupBlocks : 1); slot++)
            {
                record.Present |= 1U << slot;
                BlockVersion version = BlockVersion.Current(page, slot);
                version.Seal(SealedFixture.FileId, slot, 3, 7, slot % 3, slot % 2 == 0 ? StoredKind.Raw : StoredKind.Lz4, _key, new byte[1000], _sealedText.AsSpan(0, 1000 + _key.TagSize));
                Span<byte> bytes = page.AsSpan(EntryOffset + slot * EntrySize, VersionSize);
                SealAlike(bytes, 16, _key, [3, .. SealedFixture.FileId, .. BitConverter.GetBytes((long)slot), .. bytes[..16]], new byte[1000], _sealedText);
                if (!version.TryOpen(SealedFixture.FileId, slot, _key, (byte[])_sealedText.Clone(), _plain))
                    throw new FindingException("a seed is not authentic");
                if (slot == 0)
                    _sealedText.CopyTo(_stored, 0);
                else
                    BlockVersion.Durable(page, slot).CopyFrom(version);
            }
            record.SetChild(isFull ? 207 : 0, true);
            record.Rebase(2);
            record.Seal(SealedFixture.FileId, 0, 3, 7, _key);
            Span<byte> sealedRecord = page.AsSpan(RecordOffset, RecordSize);
            SealAlike(sealedRecord, 16, _key, [2, .. SealedFixture.FileId, .. new byte[8], .. sealedRecord[..16], .. sealedRecord[64..]], default);
            if (!record.IsAuthentic(SealedFixture.FileId, 0, _key))
                throw new FindingException("a seed is not authentic");
            _seeds.Add(page);
        }
    }

    public override string Name => "index";

    public override int Share => 2;

    public override double Percent => 400;

    public override IReadOnlyList<byte[]> Seeds => _seeds;

    public override byte[] Make(Mutator mutator)
    {
        byte[] made = base.Make(mutator);
        // The engine always has a whole page of it.
        Array.Resize(ref made, PageSize);
        if (mutator.Random.Next(4) != 0)
            return made;
        // Most of the page is entries: half of what happens shall happen to the record.
        byte[] seed = _seeds[mutator.Random.Next(_seeds.Count)];
        byte[] record = mutator.Mutate(seed[RecordOffset..(RecordOffset + RecordSize + EntrySize)], _seeds);
        made = (byte[])seed.Clone();
        record.AsSpan(0, Math.Min(record.Length, RecordSize + EntrySize)).CopyTo(made.AsSpan(RecordOffset));
        return made;
    }

    public override void Run(byte[] input)
    {
        if (input.Length != PageSize)
            Array.Resize(ref input, PageSize);
        GroupRecord record = new(input);
        _ = record.IsZero;
        for (int child = 0; child < ChildrenPerGroup; child += 23)
            _ = record.HasChild(child) || record.HasBaseChild(child);
        if (record.IsAuthentic(SealedFixture.FileId, 0, _key) && !IsAsSealed(input, RecordOffset, RecordSize, RecordOffset))
            throw new FindingException("a changed record is authentic");
        for (int slot = 0; slot < GroupBlocks; slot += slot == 0 ? 1 : 7)
        {
            RunVersion(BlockVersion.Current(input, slot), input, EntryOffset + slot * EntrySize, slot);
            RunVersion(BlockVersion.Durable(input, slot), input, EntryOffset + slot * EntrySize + VersionSize, slot);
        }
    }

    private void RunVersion(BlockVersion version, byte[] page, int offset, int slot)
    {
        if (version.IsZero || !version.IsSane(BlockSize, mayBeInline: slot == 0))
            return;
        long place = new Geometry(12).PlaceOffset(0, slot, version.Place);
        if (place < 0 || version.StoredLength > BlockSize)
            throw new FindingException("a sane entry leads out of the file");
        _stored.CopyTo(_sealedText, 0);
        if (version.TryOpen(SealedFixture.FileId, slot, _key, _sealedText, _plain) &&
            !IsAsSealed(page, offset, VersionSize, EntryOffset + slot * EntrySize) && !IsAsSealed(page, offset, VersionSize, EntryOffset + slot * EntrySize + VersionSize))
            throw new FindingException("a changed entry is authentic");
    }

    /// <summary>The four bytes of the stored nonce that aes-256-gcm does not use may be any.</summary>
    private bool IsAsSealed(byte[] page, int offset, int size, int sealedOffset)
    {
        const int NonceEnd = 28, Unused = 4;
        return _seeds.Any(seed => seed.AsSpan(sealedOffset, NonceEnd).SequenceEqual(page.AsSpan(offset, NonceEnd)) &&
            seed.AsSpan(sealedOffset + NonceEnd + Unused, size - NonceEnd - Unused).SequenceEqual(page.AsSpan(offset + NonceEnd + Unused, size - NonceEnd - Unused)));
    }
}
