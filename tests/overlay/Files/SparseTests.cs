using System;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Tests.Doubles;
using Xunit;

namespace Overlay.Tests.Files;

/// <summary>Holes that are smaller than a block: zeros that compress, if the block is completed by whoever fills the file from front to end.</summary>
public class SparseTests
{
    private const int Page = MemoryBacking.PageSize;

    [Fact]
    public void A_file_written_forward_with_holes_takes_less_than_it_is_long()
    {
        const int Pages = 40;
        SealedFixture fixture = SealedFixture.Create(new Recipe(CipherSuite.Aes256Gcm, Compresses: true, BlockSizeLog2: 14));
        using SealedFile file = fixture.Open();
        byte[] plain = new byte[Pages * Page];
        Random random = new(5);
        for (int page = 1; page < Pages; page += 2)
        {
            random.NextBytes(plain.AsSpan(page * Page, Page));
            file.WriteAt(page * Page, plain.AsSpan(page * Page, Page));
        }

        file.Sync(dataOnly: false);
        file.Settle();

        Assert.InRange(fixture.Backing.AllocatedBytes, 1, plain.Length - 1);
        Assert.Equal(plain, file.ReadBytes(0, plain.Length));
    }
}
