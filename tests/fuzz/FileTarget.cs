using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Tests.Doubles;

namespace Overlay.Fuzz;

/// <summary>
/// A whole small file, as somebody changed it on the storage: opened, read, looked at, written and settled. Reads give what was written
/// or an errno. An input is: which file (1), then changes of 17 bytes each: kind (1), offset (8), count (4), value (4).
/// </summary>
internal sealed class FileTarget : Target
{
    private const int ChangeSize = 17;

    private readonly List<(Recipe Recipe, MemoryBacking Image, byte[] Plain)> _files = [];
    private readonly List<byte[]> _seeds = [];

    public FileTarget()
    {
        foreach (CipherSuite suite in new[] { CipherSuite.Aes256Gcm, CipherSuite.Aegis256, CipherSuite.XChaCha20Poly1305 })
            for (int shape = 0; shape < 7; shape++)
                _files.Add(Build(new Recipe(suite, shape % 2 == 0, 12), shape, _files.Count + 1));
        for (int i = 0; i < _files.Count; i++)
            _seeds.Add([(byte)i]);
    }

    public override string Name => "file";

    public override int Share => 4;

    public override double Percent => 40;

    public override IReadOnlyList<byte[]> Seeds => _seeds;

    public override byte[] Make(Mutator mutator)
    {
        Random random = mutator.Random;
        int file = random.Next(_files.Count);
        List<byte> input = [(byte)file];
        long[] pages = [.. _files[file].Image.PageNumbers];
        for (int i = random.Next(3) == 0 ? random.Next(1, 7) : 1; i > 0; i--)
        {
            byte[] change = new byte[ChangeSize];
            change[0] = (byte)random.Next(8);
            // Headers, records and first entries lie in the first sector of a page.
            long offset = pages[random.Next(pages.Length)] * 4096 + random.Next(random.Next(2) == 0 ? 512 : 4096);
            if (random.Next(20) == 0)
                offset = (long)mutator.Edge();
            BinaryPrimitives.WriteInt64LittleEndian(change.AsSpan(1), offset);
            BinaryPrimitives.WriteInt32LittleEndian(change.AsSpan(9), random.Next(3) == 0 ? random.Next(1, 20_000) : random.Next(1, 65));
            BinaryPrimitives.WriteUInt32LittleEndian(change.AsSpan(13), random.Next(3) == 0 ? (uint)mutator.Edge() : (uint)random.NextInt64());
            input.AddRange(change);
        }
        return [.. input];
    }

    public override void Run(byte[] input)
    {
        if (input.Length == 0)
            return;
        (Recipe recipe, MemoryBacking image, byte[] _) = _files[input[0] % _files.Count];
        SealedFixture fixture = new(recipe, image.Clone());
        for (int at = 1; at + ChangeSize <= input.Length; at += ChangeSize)
            Change(fixture.Backing, input.AsSpan(at, ChangeSize), input[0]);
        try
        {
            Use(fixture);
        }
        catch (ErrnoException)
        {
            // Refused, as it should be; whether a lock was left behind is looked at next.
        }
        if (fixture.Lock.IsHeld || fixture.Coherence.HasWriters)
            throw new FindingException("a lock or a counter was not released");
    }

    private void Use(SealedFixture fixture)
    {
        OpenResult result = SealedFile.Open(fixture.Context, new KeyOfId(), out SealedFile? opened);
        if (opened is null)
        {
            if (result.Status == OpenStatus.Ok || result.Reason.Length == 0 && result.Status != OpenStatus.Newborn)
                throw new FindingException("refused without a reason");
            return;
        }
        using SealedFile file = opened;
        // With another file's header it is another file.
        byte[] plain = _files[file.FileId[0] - 1].Plain;
        if (file.Length != plain.Length)
            throw new FindingException($"a size of {file.Length}, not {plain.Length}");
        CheckContent(file, plain);
        _ = file.Survey(_ => { });
        Try(() => file.SeekHole(0));
        Try(() => file.SeekData(plain.Length / 2));
        byte[] more = [1, 2, 3];
        Try(() => file.WriteAt(plain.Length / 2, more));
        Try(() => file.WriteAt(plain.Length + 5000, more));
        Try(() => file.Sync(dataOnly: true));
        Try(() => file.Resize(plain.Length / 3));
        Try(file.Settle);
        Try(() => file.ReadBytes(0, plain.Length));
    }

    private static void CheckContent(SealedFile file, byte[] plain)
    {
        byte[] piece = new byte[1500];
        for (int at = 0; at < plain.Length; at += piece.Length)
        {
            try
            {
                int count = file.Read(at, piece);
                if (!piece.AsSpan(0, count).SequenceEqual(plain.AsSpan(at, count)))
                    throw new FindingException($"wrong bytes at {at}");
            }
            catch (ErrnoException)
            {
            }
        }
    }

    private static void Try(Action action)
    {
        try
        {
            action();
        }
        catch (ErrnoException)
        {
        }
    }

    private void Change(MemoryBacking backing, ReadOnlySpan<byte> change, int file)
    {
        long length = Math.Max(1, backing.Length);
        long offset = (long)(BinaryPrimitives.ReadUInt64LittleEndian(change[1..]) % (ulong)length);
        int count = Math.Clamp(BinaryPrimitives.ReadInt32LittleEndian(change[9..]), 1, 65536);
        uint value = BinaryPrimitives.ReadUInt32LittleEndian(change[13..]);
        switch (change[0])
        {
            case 0 or 1:
                backing.Write(offset, [(byte)(backing.ByteAt(offset) ^ (1 << (int)(value % 8)))]);
                break;
            case 2:
                Span<byte> number = stackalloc byte[4];
                BinaryPrimitives.WriteUInt32LittleEndian(number, value);
                backing.Write(offset, number);
                break;
            case 3:
                backing.Write(offset, new byte[count]);
                break;
            case 4:
                // From elsewhere in this file.
                backing.Write(offset, backing.ReadBytes(value % length & ~63L, count));
                break;
            case 5:
                // From the same place of another file.
                backing.Write(offset, _files[(file + 1 + (int)(value % (uint)(_files.Count - 1))) % _files.Count].Image.ReadBytes(offset, count));
                break;
            case 6:
                backing.SetLength(offset);
                break;
            default:
                backing.SetLength(backing.Length + count);
                break;
        }
    }

    private static (Recipe Recipe, MemoryBacking Image, byte[] Plain) Build(Recipe recipe, int shape, int id)
    {
        int size = new[] { 0, 100, 3000, 3584, 9000, 70_000, 150_000 }[shape];
        byte[] plain = new byte[size];
        Random random = new(shape);
        for (int start = 0; start < size; start += 8192)
            random.NextBytes(plain.AsSpan(start, Math.Min(3000, size - start)));
        if (shape == 6)
            plain.AsSpan(20_000, 100_000).Clear();
        SealedFixture fixture = new(recipe);
        byte[] fileId = new byte[16], secret = new byte[DataKey.KeySize];
        fileId.AsSpan().Fill((byte)id);
        _ = new KeyOfId().TryGetKey(fileId, secret);
        using SealedFile file = SealedFile.Create(fixture.Context, recipe.Compresses, recipe.BlockSizeLog2, fileId, DataKey.Import(recipe.Suite, secret));
        for (int start = 0; start < size; start += 10_000)
            if (shape != 6 || start is < 20_000 or >= 120_000)
                file.WriteAt(start, plain.AsSpan(start, Math.Min(10_000, size - start)));
        // Every block has one content only, so that no older state of it is a right answer.
        if (size > 0)
            file.Sync(dataOnly: true);
        file.Resize(size);
        if (shape % 3 != 0)
            file.Settle();
        return (recipe, fixture.Backing, plain);
    }

    /// <summary>Every file has a key of its own.</summary>
    private sealed class KeyOfId : IKeySource
    {
        public bool TryGetKey(ReadOnlySpan<byte> fileId, Span<byte> key)
        {
            key.Fill((byte)(fileId[0] * 7));
            return fileId.IndexOfAnyExcept(fileId[0]) < 0 && fileId[0] is > 0 and < 22;
        }
    }
}
