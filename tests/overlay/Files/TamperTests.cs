using System;
using System.Collections.Generic;
using System.Linq;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Tests.Doubles;
using Xunit;
using Xunit.Sdk;
using static Overlay.Format.FormatConstants;

namespace Overlay.Tests.Files;

/// <summary>
/// Invariant 4: whatever is done to the stored bytes, a read gives what was written or EIO, and a survey finds what a read meets.
/// </summary>
public class TamperTests
{
    public static TheoryData<CipherSuite, string> Samples()
    {
        TheoryData<CipherSuite, string> samples = [];
        for (CipherSuite suite = CipherSuite.Aes256Gcm; suite <= CipherSuite.XChaCha20Poly1305; suite++)
            foreach (string sample in new[] { "empty", "inline", "packed", "one block", "blocks", "groups", "rewritten", "units", "bases", "rekeyed", "two keys" })
                samples.Add(suite, sample);
        return samples;
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void Every_byte_flipped_is_found_by_the_read_that_meets_it(CipherSuite suite, string sample)
    {
        (SealedFixture fixture, byte[] plain) = Make(suite, sample);
        MemoryBacking sound = fixture.Backing;
        byte[] meaning = Meaning(fixture);
        int detected = 0, harmless = 0;
        for (long page = 0; page * PageSize < sound.Length; page++)
        {
            if (!sound.PageNumbers.Contains(page))
                continue;
            for (long offset = page * PageSize; offset < Math.Min((page + 1) * PageSize, sound.Length); offset++)
            {
                byte original = sound.ByteAt(offset);
                sound.Write(offset, [(byte)(original ^ (1 << (int)(offset % 8)))]);
                bool isDetected = Reads(fixture, plain, $"{suite} {sample}: byte {offset} flipped", BlockAt(fixture, offset));
                sound.Write(offset, [original]);
                bool isMeaningful = meaning.AsSpan().IndexOf((byte)1) >= 0 && offset < meaning.Length && meaning[offset] == 1;
                if (isMeaningful && !isDetected)
                    throw new XunitException($"{suite} {sample}: byte {offset} flipped, and nobody noticed");
                _ = isDetected ? detected++ : harmless++;
            }
        }
        Assert.Equal(meaning.Count(one => one == 1), detected);
        Console.WriteLine($"tampering: {suite} {sample}: {detected} bytes flipped and found, {harmless} that mean nothing");
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void Swapped_zeroed_and_transplanted_parts_are_found(CipherSuite suite, string sample)
    {
        (SealedFixture fixture, byte[] plain) = Make(suite, sample);
        (SealedFixture other, _) = Make(suite, sample, seed: 2, fileId: [.. SealedFixture.FileId.Reverse()]);
        MemoryBacking sound = fixture.Backing;
        List<Part> parts = Parts(fixture);
        int cases = 0;
        foreach (Part part in parts)
        {
            byte[] original = sound.ReadBytes(part.Offset, part.Length);
            Try(part, new byte[part.Length], "zeroed");
            Try(part, other.Backing.ReadBytes(part.Offset, part.Length), "taken from another file with the same key");
            foreach (Part second in parts.Where(second => second.Offset > part.Offset && second.Name == part.Name))
            {
                int length = Math.Min(part.Length, second.Length);
                byte[] secondOriginal = sound.ReadBytes(second.Offset, length);
                sound.Write(second.Offset, original.AsSpan(0, length));
                Try(part with { Length = length }, secondOriginal, $"swapped with {second.Offset}");
                sound.Write(second.Offset, secondOriginal);
            }
        }
        Console.WriteLine($"tampering: {suite} {sample}: {cases} parts swapped, zeroed, transplanted and found");

        void Try(Part part, byte[] bytes, string what)
        {
            byte[] original = sound.ReadBytes(part.Offset, part.Length);
            byte[] replaced = new byte[part.Length];
            bytes.CopyTo(replaced, 0);
            if (original.AsSpan().SequenceEqual(replaced))
                return;
            sound.Write(part.Offset, replaced);
            string name = $"{suite} {sample}: {part.Name} at {part.Offset} {what}";
            if (!Reads(fixture, plain, name, null))
                throw new XunitException($"{name}, and nobody noticed");
            sound.Write(part.Offset, original);
            cases++;
        }
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void Cut_files_are_found(CipherSuite suite, string sample)
    {
        (SealedFixture fixture, byte[] plain) = Make(suite, sample);
        MemoryBacking sound = fixture.Backing;
        // Behind the end of a file are zeros: cutting zeros off changes nothing.
        long end = Parts(fixture).Max(part => part.Offset + sound.ReadBytes(part.Offset, part.Length).AsSpan().LastIndexOfAnyExcept((byte)0) + 1);
        IEnumerable<long> cuts = Enumerable.Range(0, (int)(Math.Min(sound.Length, 1 << 20) / 512)).Select(sector => sector * 512L).Append(1).Append(255).Append(257)
            .Append(end - 1).Append(end);
        foreach (long cut in cuts.Where(cut => cut >= 0 && cut < sound.Length).Distinct())
        {
            fixture.Backing = sound.Clone();
            fixture.Backing.SetLength(cut);
            bool isFound = Reads(fixture, plain, $"{suite} {sample}: cut at {cut}", null);
            if (!isFound && cut < end)
                throw new XunitException($"{suite} {sample}: cut at {cut} of {sound.Length}, and nobody noticed");
        }
    }

    /// <summary>A read cannot know; the state digest does (format §5).</summary>
    [Theory]
    [InlineData(CipherSuite.Aes256Gcm)]
    [InlineData(CipherSuite.Aegis256)]
    [InlineData(CipherSuite.XChaCha20Poly1305)]
    public void A_block_put_back_with_its_entry_is_found_by_a_survey(CipherSuite suite)
    {
        foreach (bool syncs in new[] { false, true })
        {
            (SealedFixture fixture, byte[] plain) = Make(suite, "groups");
            int blockSize = fixture.Recipe.BlockSize;
            MemoryBacking before = fixture.Backing.Clone();
            using (SealedFile file = fixture.Open())
            {
                for (int block = 0; block * blockSize < plain.Length; block++)
                    file.WriteAt(block * blockSize, new byte[Math.Min(blockSize, plain.Length - block * blockSize)].Select(_ => (byte)(block + 1)).ToArray());
                if (syncs)
                    file.Sync(dataOnly: false);
                file.Settle();
            }
            MemoryBacking after = fixture.Backing.Clone();
            Assert.Equal(DigestState.Exact, Look(fixture).Digest);
            fixture.Backing = before;
            List<Part> blocks = Parts(fixture).Where(part => part.Name == "block").ToList();
            Assert.True(blocks.Count > 5);
            foreach (Part block in blocks)
            {
                fixture.Backing = after.Clone();
                fixture.Backing.Write(block.Offset, before.ReadBytes(block.Offset, block.Length));
                fixture.Backing.Write(block.EntryOffset, before.ReadBytes(block.EntryOffset, EntrySize));
                FileSurvey survey = Look(fixture);
                Assert.Equal(0, survey.DamagedBlocks);
                Assert.Equal(DigestState.Differs, survey.Digest);
            }
        }
    }

    [Fact]
    public void A_hole_put_back_in_place_of_a_block_is_found_by_a_survey()
    {
        (SealedFixture fixture, byte[] plain) = Make(CipherSuite.Aes256Gcm, "groups");
        MemoryBacking before = fixture.Backing.Clone();
        using (SealedFile file = fixture.Open())
        {
            file.WriteAt(10 * fixture.Recipe.BlockSize, plain.AsSpan(0, 5000)); // was a hole
            file.Settle();
        }
        Assert.Equal(DigestState.Exact, Look(fixture).Digest);
        fixture.Backing.Write(RecordOffset, before.ReadBytes(RecordOffset, RecordSize));
        Assert.Equal(DigestState.Differs, Look(fixture).Digest);
    }

    [Fact]
    public void A_header_put_back_alone_is_found_by_a_survey_and_has_a_lower_sequence()
    {
        (SealedFixture fixture, byte[] plain) = Make(CipherSuite.Aes256Gcm, "groups");
        byte[] header = fixture.Backing.ReadBytes(0, HeaderSize);
        ulong sequence = Look(fixture).Sequence;
        using (SealedFile file = fixture.Open())
        {
            file.WriteAt(100, plain.AsSpan(0, 200));
            file.Settle();
        }
        Assert.True(Look(fixture).Sequence > sequence);
        fixture.Backing.Write(0, header);
        Assert.Equal(DigestState.Differs, Look(fixture).Digest);
        Assert.Equal(sequence, Look(fixture).Sequence);
    }

    [Fact]
    public void A_killed_writer_leaves_a_digest_that_is_known_not_to_be_exact_and_acceptance_restores_it()
    {
        (SealedFixture fixture, byte[] plain) = Make(CipherSuite.Aes256Gcm, "groups");
        using (SealedFile file = fixture.Open())
            file.WriteAt(30 * fixture.Recipe.BlockSize, plain.AsSpan(0, 5000)); // group 1; never settled
        Assert.Equal(DigestState.InUse, Look(fixture).Digest);
        using (SealedFile file = fixture.Open())
        {
            file.WriteAt(31 * fixture.Recipe.BlockSize, plain.AsSpan(0, 5000));
            file.Settle();
        }
        Assert.Equal(DigestState.InUse, Look(fixture).Digest);
        using (SealedFile file = fixture.Open())
            file.AcceptState();
        Assert.Equal(DigestState.Exact, Look(fixture).Digest);
    }

    /// <summary>Two processes, killed at any call, again and again: no state that they leave looks as if somebody had put something back.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_kill_never_looks_like_tampering(bool compresses)
    {
        int exact = 0, open = 0;
        for (int seed = 0; seed < 300; seed++)
        {
            Random random = new(seed);
            PowerLossBacking backing = new();
            SealedFixture fixture = SealedFixture.Create(new Recipe(CipherSuite.Aes256Gcm, compresses, 12), backing);
            for (int life = 0; life < 6; life++)
            {
                SealedFile[] files = [fixture.Open(), fixture.Open()];
                backing.CallsToCut = random.Next(1, 150);
                try
                {
                    for (int step = 0; step < 15; step++)
                        Change(files[random.Next(2)], random);
                    foreach (SealedFile file in files)
                        file.Settle();
                }
                catch (PowerCutException)
                {
                }
                backing.CallsToCut = 0;
                fixture.Kill();
                DigestState digest = Look(fixture).Digest;
                if (digest is not (DigestState.Exact or DigestState.InUse))
                    throw new XunitException($"seed {seed}, life {life}: {digest}");
                _ = digest == DigestState.Exact ? exact++ : open++;
            }
        }
        Assert.True(exact > 100 && open > 100, $"{exact} exact, {open} open");
    }

    private static void Change(SealedFile file, Random random)
    {
        int offset = random.Next(4) switch { 0 => random.Next(300), 1 => (int)file.Length, 2 => random.Next(20_000), _ => random.Next(35 * 4096) };
        switch (random.Next(12))
        {
            case < 8:
                file.WriteAt(offset, new byte[random.Next(1, random.Next(2) == 0 ? 300 : 20_000)]);
                break;
            case 8:
                file.Resize(random.Next(3) == 0 ? 0 : offset);
                break;
            case 9:
                file.Punch(offset, random.Next(1, 30_000));
                break;
            case 10:
                file.Sync(dataOnly: false);
                break;
            default:
                file.Settle();
                break;
        }
    }

    [Fact]
    public void A_forked_child_does_not_count_its_parents_changes()
    {
        (SealedFixture fixture, byte[] plain) = Make(CipherSuite.Aes256Gcm, "groups");
        using SealedFile parent = fixture.Open();
        using SealedFile child = fixture.Open();
        parent.WriteAt(30 * fixture.Recipe.BlockSize, plain.AsSpan(0, 5000));
        child.WriteAt(31 * fixture.Recipe.BlockSize, plain.AsSpan(0, 5000));
        child.AfterFork(); // what it knew is another process's business now, which may be gone
        parent.Settle();
        child.Settle();
        Assert.Equal(DigestState.InUse, Look(fixture).Digest);
    }

    /// <summary>Every byte that says something: header, record, current halves of entries of blocks that exist, their stored bytes.</summary>
    private static byte[] Meaning(SealedFixture fixture)
    {
        List<Part> parts = Parts(fixture);
        byte[] meaning = new byte[parts.Max(part => part.Offset + part.Length)];
        foreach (Part part in parts)
        {
            meaning.AsSpan((int)part.Offset, part.Length).Fill(1);
            // Of a stored nonce of 16 bytes aes-256-gcm takes 12; behind them are random bytes that nobody looks at.
            int nonce = part.Name switch { "header" => 208, "record" or "entry" => 16, _ => -1 };
            if (fixture.Recipe.Suite == CipherSuite.Aes256Gcm && nonce >= 0)
                meaning.AsSpan((int)part.Offset + nonce + 12, 4).Clear();
        }
        return meaning;
    }

    private sealed record Part(string Name, long Offset, int Length, long EntryOffset = -1);

    private static List<Part> Parts(SealedFixture fixture)
    {
        Geometry geometry = fixture.Recipe.Geometry;
        List<Part> parts = [new Part("header", 0, HeaderSize)];
        for (long group = 0; group * geometry.GroupStride < fixture.Backing.Length; group++)
        {
            byte[] page = new byte[PageSize];
            fixture.Backing.Read(geometry.IndexOffset(group), page);
            GroupRecord record = new(page);
            if (record.IsZero)
                continue;
            parts.Add(new Part("record", geometry.IndexOffset(group) + RecordOffset, RecordSize));
            for (int slot = 0; slot < GroupBlocks; slot++)
            {
                if ((record.Present >> slot & 1) == 0)
                    continue;
                BlockVersion version = BlockVersion.Current(page, slot);
                long entry = geometry.IndexOffset(group) + EntryOffset + slot * EntrySize;
                parts.Add(new Part("entry", entry, VersionSize));
                if (version.IsInUnits)
                    AddUnits(parts, fixture, group, slot, version);
                else
                    parts.Add(new Part("block", geometry.PlaceOffset(group, slot, version.Place), version.StoredLength, entry));
            }
        }
        return parts;
    }

    private static void AddUnits(List<Part> parts, SealedFixture fixture, long group, int slot, BlockVersion version)
    {
        Geometry geometry = fixture.Recipe.Geometry;
        UnitLayout units = new(fixture.Recipe.BlockSizeLog2, fixture.Recipe.Suite == CipherSuite.Aegis256 ? 32 : 16);
        long at = geometry.TablesOffset(group) + Geometry.TableIn(slot, version.Place);
        UnitTable table = new(fixture.Backing.ReadBytes(at, UnitTableSize));
        parts.Add(new Part("table", at, UnitTableSize));
        bool hasBase = false;
        for (int unit = 0; unit < units.CountFor(version.StoredLength); unit++)
        {
            if (table.IsInBase(unit))
            {
                hasBase = true;
                continue;
            }
            long offset = geometry.PlaceOffset(group, slot, table.PlaceOf(unit)) + (unit << units.SizeLog2);
            parts.Add(new Part("unit", offset, units.LengthOf(unit, version.StoredLength)));
        }
        if (!hasBase)
            return;
        int tagSize = fixture.Recipe.Suite == CipherSuite.Aegis256 ? 32 : 16;
        Span<byte> record = stackalloc byte[VersionSize];
        table.CopyBaseTo(units.Count, tagSize, version.DescriptionBehind(tagSize), record);
        parts.Add(new Part("base", geometry.PlaceOffset(group, slot, BlockVersion.Of(record).Place), BlockVersion.Of(record).StoredLength));
    }

    /// <summary>The block whose stored bytes the offset may be in; null: an index page, all blocks may be concerned.</summary>
    private static long? BlockAt(SealedFixture fixture, long offset)
    {
        Geometry geometry = fixture.Recipe.Geometry;
        long inGroup = offset % geometry.GroupStride - 3 * PageSize;
        return inGroup < 0 ? null : offset / geometry.GroupStride * GroupBlocks + inGroup % geometry.GroupSize / geometry.BlockSize;
    }

    private static FileSurvey Look(SealedFixture fixture)
    {
        using SealedFile file = fixture.Open();
        return file.Survey(_ => { });
    }

    /// <summary>True: a read failed, and a survey saw it; false: everything read is what was written.</summary>
    private static bool Reads(SealedFixture fixture, byte[] plain, string what, long? onlyBlock)
    {
        OpenResult result = SealedFile.Open(fixture.Context, fixture.Keys, out SealedFile? opened);
        if (opened is null)
        {
            Assert.NotEqual(OpenStatus.Ok, result.Status);
            return true;
        }
        using SealedFile file = opened;
        if (file.Length != plain.Length)
            throw new XunitException($"{what}: the size is {file.Length}, not {plain.Length}");
        int blockSize = fixture.Recipe.BlockSize;
        bool hasFailed = false;
        byte[] buffer = new byte[blockSize];
        long first = onlyBlock ?? 0, last = onlyBlock ?? (plain.Length - 1) / blockSize;
        for (long block = first; block <= last && block * blockSize < plain.Length; block++)
        {
            try
            {
                int count = file.Read(block * blockSize, buffer);
                if (!buffer.AsSpan(0, count).SequenceEqual(plain.AsSpan((int)block * blockSize, Math.Min(blockSize, plain.Length - (int)block * blockSize))))
                    throw new XunitException($"{what}: block {block} is wrong data");
            }
            catch (ErrnoException exception)
            {
                Assert.Equal(Errno.EIO, exception.Errno);
                hasFailed = true;
            }
        }
        // A survey opens every block: only where it must see something is it asked of each byte.
        if (hasFailed || onlyBlock is null)
        {
            long damaged = 0;
            FileSurvey survey = file.Survey(_ => damaged++);
            if ((hasFailed && damaged == 0) || damaged != survey.DamagedBlocks)
                throw new XunitException($"{what}: a read {(hasFailed ? "fails" : "is right")}, a survey finds {damaged}");
            hasFailed |= damaged > 0; // of an empty file nothing is read
        }
        return hasFailed;
    }

    private static (SealedFixture Fixture, byte[] Plain) Make(CipherSuite suite, string sample, int seed = 1, byte[]? fileId = null)
    {
        SealedFixture fixture = SealedFixture.Create(new Recipe(suite, sample is "packed" or "blocks" or "groups" or "bases", sample switch { "units" => 13, "bases" => 14, _ => 12 }), fileId: fileId);
        using SealedFile file = fixture.Open();
        Random random = new(seed);
        byte[] plain = new byte[sample switch { "empty" => 0, "inline" => 600, "packed" => 3800, "one block" => 4096, "blocks" => 11_000, "rewritten" or "rekeyed" or "two keys" => 9_000, "units" => 3 * 8192 + 4500, "bases" => 2 * 16384, _ => 31 * 4096 + 100 }];
        random.NextBytes(plain);
        if (sample == "packed")
            plain.AsSpan(300).Fill(9);
        if (sample == "groups")
            plain.AsSpan(2 * 4096, 26 * 4096).Clear();
        if (sample == "bases")
            plain.AsSpan(3000, 12_000).Fill(9);
        int step = sample == "bases" ? plain.Length : 4096;
        for (int start = 0; start < plain.Length; start += step)
        {
            ReadOnlySpan<byte> part = plain.AsSpan(start, Math.Min(step, plain.Length - start));
            if (part.ContainsAnyExcept((byte)0))
                file.WriteAt(start, part);
        }
        if (sample == "rewritten")
        {
            file.Sync(dataOnly: true);
            random.NextBytes(plain.AsSpan(1000, 5000));
            file.WriteAt(1000, plain.AsSpan(1000, 5000));
        }
        foreach (int start in sample == "units" ? [8192 + 50, 2 * 8192 + 4096, 8192 + 60] : Array.Empty<int>())
        {
            random.NextBytes(plain.AsSpan(start, 900));
            file.WriteAt(start, plain.AsSpan(start, 900));
            file.Sync(dataOnly: true);
        }
        foreach (int start in sample == "bases" ? [100, 8192, 8200, 16384 + 12_300, 16384 + 12_400] : Array.Empty<int>())
        {
            random.NextBytes(plain.AsSpan(start, 900));
            file.WriteAt(start, plain.AsSpan(start, 900));
        }
        if (sample == "rekeyed")
            file.Rekey(SealedFixture.NextKey);
        if (sample == "two keys")
        {
            _ = file.StartRekey(SealedFixture.NextKey);
            file.WriteAt(4096, plain.AsSpan(4096, 4096));
        }
        file.Settle();
        return (fixture, plain);
    }
}
