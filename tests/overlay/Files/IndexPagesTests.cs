using System;
using System.Collections.Generic;
using System.Linq;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Tests.Doubles;
using Xunit;

namespace Overlay.Tests.Files;

/// <summary>However large a file is, and however much of it is written over, what is known of it in memory stays small.</summary>
public class IndexPagesTests
{
    private static readonly Recipe s_recipe = new(CipherSuite.Aes256Gcm, Compresses: false, BlockSizeLog2: 12);
    private const int Groups = 1200, GroupSize = 29 * 4096;

    [Fact]
    public void Pages_are_given_up_where_many_groups_are_written_over()
    {
        SealedFixture fixture = SealedFixture.Create(s_recipe, new HoleCounter());
        using SealedFile file = fixture.Open();
        for (int pass = 0; pass < 2; pass++)
            for (int group = 0; group < Groups; group++)
                file.WriteAt((long)group * GroupSize, new byte[] { (byte)group, (byte)(pass + 1) });

        Assert.InRange(file.KeptIndexPages, 1, 512);
    }

    [Fact]
    public void Pages_are_given_up_by_other_files_where_very_many_are_open()
    {
        const int Count = 3 * IndexPages.KeptAtMost / 2;
        List<SealedFile> files = [];
        try
        {
            for (int i = 0; i < Count; i++)
            {
                files.Add(SealedFixture.Create(s_recipe).Open());
                files[i].WriteAt(0, BitConverter.GetBytes(i));
            }
            Assert.InRange(files.Sum(file => file.KeptIndexPages), 1, IndexPages.KeptAtMost);

            for (int i = 0; i < Count; i++)
            {
                files[i].WriteAt(100, BitConverter.GetBytes(~i));
                Assert.Equal(BitConverter.GetBytes(i), files[i].ReadBytes(0, 4));
            }
            Assert.InRange(files.Sum(file => file.KeptIndexPages), 1, IndexPages.KeptAtMost);
        }
        finally
        {
            files.ForEach(file => file.Dispose());
        }
    }

    [Fact]
    public void Stale_places_are_freed_of_groups_whose_pages_were_given_up()
    {
        HoleCounter backing = new();
        SealedFixture fixture = SealedFixture.Create(s_recipe, backing);
        using SealedFile file = fixture.Open();
        for (int pass = 0; pass < 2; pass++)
            for (int group = 0; group < Groups; group++)
                file.WriteAt((long)group * GroupSize, new byte[] { (byte)group, (byte)(pass + 1) });

        file.Settle();

        Assert.InRange(backing.Holes, Groups, 3 * Groups);
        for (int group = 0; group < Groups; group++)
            Assert.Equal([(byte)group, 2], file.ReadBytes((long)group * GroupSize, 2));
    }
}
