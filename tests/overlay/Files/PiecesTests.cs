using System;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Tests.Doubles;
using Xunit;

namespace Overlay.Tests.Files;

/// <summary>Files that are written from front to end in pieces of one size, less than a block.</summary>
[Collection(AloneCollection.Name)]
public class PiecesTests
{
    private const int BlockSize = 16384, Unit = 4096, Group = 29 * BlockSize;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Each_piece_is_sealed_once_and_none_is_read_again(bool compresses)
    {
        const int Table = 128, Entry = 128, Header = 256;
        WriteCounter backing = new();
        using SealedFile file = SealedFixture.Create(new Recipe(CipherSuite.Aes256Gcm, compresses, BlockSizeLog2: 14), backing).Open();
        byte[] plain = new byte[Group + 3 * BlockSize];
        new Random(9).NextBytes(plain);
        for (int at = 0; at < plain.Length; at += Unit)
        {
            (backing.Bytes, backing.BytesRead) = (0, 0);
            file.WriteAt(at, plain.AsSpan(at, Unit));
            if (at <= Group + BlockSize) // of group 0 the header goes along; of group 1 pages are read once
                continue;
            if (at % BlockSize / Unit is 1 or 2)
                Assert.Equal(Unit + Table + Entry + Header, backing.Bytes);
            Assert.Equal(0, backing.BytesRead);
        }
        Assert.Equal(plain, file.ReadBytes(0, plain.Length));
    }

    /// <summary>What is kept of the block that the writer has got to must never outlive another change of it, whoever's.</summary>
    [Theory]
    [InlineData(CipherSuite.Aes256Gcm, true, 14)]
    [InlineData(CipherSuite.Aes256Gcm, false, 14)]
    [InlineData(CipherSuite.Aes256Gcm, true, 16)]
    [InlineData(CipherSuite.Aegis256, true, 14)]
    public void Anything_may_happen_between_two_pieces(CipherSuite suite, bool compresses, int blockSizeLog2)
    {
        for (int seed = 0; seed < 12; seed++)
        {
            Random random = new(seed);
            int blockSize = 1 << blockSizeLog2, piece = random.Next(4) == 0 ? random.Next(1, blockSize) : Unit * random.Next(1, 4);
            SealedFixture fixture = SealedFixture.Create(new Recipe(suite, compresses, blockSizeLog2), new MemoryBacking());
            using SealedFile writer = fixture.Open(), other = fixture.Open();
            byte[] plain = new byte[(Group + 8 * BlockSize) * 4];
            int size = 0;
            while (size + 2 * piece < plain.Length)
            {
                for (int run = random.Next(1, 12); run > 0 && size + piece < plain.Length; run--)
                    size = Write(writer, plain, size, size, piece, random);
                SealedFile who = random.Next(3) == 0 ? other : writer;
                int start = Math.Max(0, size - random.Next(1, 2 * blockSize));
                switch (random.Next(8))
                {
                    case 0:
                        size = Write(who, plain, size, start, random.Next(1, blockSize), random);
                        break;
                    case 1:
                        plain.AsSpan(start, size - start).Clear();
                        who.Resize(size = start);
                        break;
                    case 2:
                        who.Resize(size += random.Next(1, piece));
                        break;
                    case 3:
                        int length = random.Next(1, size - start + 2);
                        who.Punch(start, length);
                        plain.AsSpan(start, Math.Min(length, size - start)).Clear();
                        break;
                    case 4:
                        who.Sync(dataOnly: true);
                        break;
                    case 5:
                        who.Settle();
                        break;
                    case 6:
                        who.ReadBytes(start, size - start);
                        break;
                    default:
                        size = Write(who, plain, size, start / Unit * Unit, Math.Min(piece, plain.Length - start), random);
                        break;
                }
                start = Math.Max(0, size - 3 * blockSize);
                Assert.Equal(plain[start..size], writer.ReadBytes(start, size - start));
            }
            Assert.Equal(plain[..size], other.ReadBytes(0, size));
            Assert.Equal(0, other.Survey(_ => { }).DamagedBlocks);
        }
    }

    private static int Write(SealedFile file, byte[] plain, int size, int at, int length, Random random)
    {
        // Some of it compresses, some does not.
        Span<byte> part = plain.AsSpan(at, length);
        random.NextBytes(part);
        if (random.Next(3) > 0)
            for (int i = 0; i < part.Length; i++)
                part[i] &= 1;
        file.WriteAt(at, part);
        return Math.Max(size, at + length);
    }
}
