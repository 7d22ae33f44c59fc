using System;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Tests.Doubles;
using Xunit;

namespace Overlay.Tests.Files;

/// <summary>A new file that has got to its likely end is in order when the write returns, as unpackers and copiers leave it: nothing is left for its close.</summary>
[Collection(AloneCollection.Name)]
public class EndOfFileTests
{
    private const int BlockSize = 16384, Buffer = 10240;
    private static readonly Recipe s_packed = new(CipherSuite.Aes256Gcm, Compresses: true, BlockSizeLog2: 14);

    [Theory]
    [InlineData(new[] { 6047 })] // behind the header, when packed
    [InlineData(new[] { 15001 })]
    [InlineData(new[] { 8 * BlockSize + 5 })]
    [InlineData(new[] { 4096, Buffer, 300 })]
    [InlineData(new[] { Buffer, 2000 })] // less than half of what is there
    [InlineData(new[] { 4096, 4096, 4096, 17 })]
    [InlineData(new[] { Buffer, Buffer, Buffer, Buffer, 5117 })]
    public void A_file_that_ends_needs_no_settling(int[] pieces)
    {
        foreach (bool isText in new[] { true, false })
        {
            SealedFixture fixture = SealedFixture.Create(s_packed);
            using SealedFile file = fixture.Open();
            byte[] plain = Write(file, pieces, isText);

            Assert.False(file.NeedsSettling);
            Assert.Equal(plain.Length, SettledSize.Decode(s_packed.Geometry, fixture.Backing.Length));
            Assert.Equal(plain, file.ReadBytes(0, plain.Length));
            fixture.Kill();
            using SealedFile next = fixture.Open();
            Assert.Equal(plain, next.ReadBytes(0, plain.Length));
        }
    }

    [Fact]
    public void It_takes_no_more_room_than_one_that_is_settled_at_its_close()
    {
        HoleCounter atOnce = new(), atClose = new();
        using SealedFile file = SealedFixture.Create(s_packed, atOnce).Open(), other = SealedFixture.Create(s_packed, atClose).Open();
        byte[] plain = Write(file, [Buffer, 4000], isText: true);
        other.WriteAt(0, plain);
        other.Settle();

        Assert.Equal(atClose.Length, atOnce.Length);
        Assert.InRange(atOnce.Holes, 1, 2);
    }

    [Fact]
    public void The_rest_of_a_file_is_stored_once()
    {
        WriteCounter backing = new();
        using SealedFile file = SealedFixture.Create(s_packed, backing).Open();
        _ = Write(file, [4096, 4096, 4096], isText: true);
        backing.Bytes = backing.BytesRead = 0;

        file.WriteAt(3 * 4096, Data(9, isText: true));
        file.Settle();

        Assert.InRange(backing.Bytes, 1, 3 * 4096);
        Assert.Equal(0, backing.BytesRead);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(256)] // every second one ends where a buffer may end
    [InlineData(700)]
    public void Lines_that_follow_each_other_are_settled_at_the_close(int length)
    {
        HoleCounter backing = new();
        using SealedFile log = SealedFixture.Create(s_packed, backing).Open();
        int size = 0;
        while (size < 3 * BlockSize)
        {
            log.WriteAt(size, Data(length, isText: true));
            size += length;
            long said = SettledSize.Decode(s_packed.Geometry, backing.Length);
            Assert.True(said == size || said == -1, $"{said} is said of {size}");
            Assert.Equal(0, backing.Holes);
        }
        Assert.True(log.NeedsSettling);
        log.Settle();
        Assert.Equal(size, SettledSize.Decode(s_packed.Geometry, backing.Length));
    }

    [Fact]
    public void What_goes_on_behind_the_end_unsettles_the_file_again()
    {
        SealedFixture fixture = SealedFixture.Create(s_packed);
        using SealedFile file = fixture.Open(), other = fixture.Open();
        byte[] plain = Write(file, [6047], isText: true);
        long settled = fixture.Backing.Length;

        other.WriteAt(plain.Length, plain);

        Assert.True(fixture.Backing.Length > settled && fixture.Backing.Length % 2 == 0);
        other.Settle();
        Assert.Equal(2 * plain.Length, SettledSize.Decode(s_packed.Geometry, fixture.Backing.Length));
        Assert.Equal([.. plain, .. plain], file.ReadBytes(0, 2 * plain.Length));
    }

    [Fact]
    public void Where_the_length_cannot_be_set_the_write_has_succeeded_all_the_same()
    {
        StubbornBacking backing = new();
        SealedFixture fixture = SealedFixture.Create(s_packed, backing);
        using SealedFile file = fixture.Open();
        byte[] first = Write(file, [2 * 4096], isText: true);
        backing.IsStubborn = true;

        file.WriteAt(first.Length, Data(700, isText: true));

        Assert.True(file.NeedsSettling);
        backing.IsStubborn = false;
        file.Settle();
        Assert.Equal(first.Length + 700, SettledSize.Decode(s_packed.Geometry, fixture.Backing.Length));
    }

    private static byte[] Write(SealedFile file, int[] pieces, bool isText)
    {
        byte[] plain = [];
        foreach (int piece in pieces)
        {
            byte[] data = Data(piece, isText);
            file.WriteAt(plain.Length, data);
            plain = [.. plain, .. data];
        }
        return plain;
    }

    private static byte[] Data(int length, bool isText)
    {
        byte[] data = new byte[length];
        new Random(length).NextBytes(data);
        for (int i = 0; isText && i < length; i++)
            data[i] &= 3;
        return data;
    }

    private sealed class StubbornBacking : MemoryBacking
    {
        internal bool IsStubborn { get; set; }

        public override void SetLength(long length)
        {
            if (IsStubborn)
                throw new ErrnoException(Errno.EIO, "made to fail");
            base.SetLength(length);
        }
    }
}
