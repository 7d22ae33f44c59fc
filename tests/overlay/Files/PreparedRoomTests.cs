using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Tests.Doubles;
using Xunit;

namespace Overlay.Tests.Files;

/// <summary>A log that was written once and is written over in small synced steps: most steps find room on the disk.</summary>
public class PreparedRoomTests
{
    private static readonly Recipe s_recipe = new(CipherSuite.Aes256Gcm, Compresses: true, BlockSizeLog2: 14);
    private const int Step = 8192, Steps = 200;

    [Fact]
    public void Synced_steps_in_a_row_seldom_take_new_room()
    {
        MemoryBacking backing = new();
        SealedFixture fixture = SealedFixture.Create(s_recipe, backing);
        using SealedFile file = fixture.Open();
        file.WriteAt(0, new byte[Steps * Step]);
        file.Sync(dataOnly: true);

        Assert.InRange(WriteSteps(file, backing).Count(isNew => isNew), 1, Steps / 8);

        long used = backing.AllocatedBytes;
        file.Settle();
        Assert.True(backing.AllocatedBytes < used / 2, "what was made ready and not used is given back");
    }

    /// <summary>The places of versions that count no more, and are named yet, were given back.</summary>
    [Fact]
    public void A_log_that_was_put_in_order_since_seldom_takes_new_room_either()
    {
        MemoryBacking backing = new();
        SealedFixture fixture = SealedFixture.Create(s_recipe, backing);
        using (SealedFile before = fixture.Open())
        {
            before.WriteAt(0, new byte[Steps * Step]);
            before.Sync(dataOnly: true);
            Assert.Equal(Steps, WriteSteps(before, backing).Count());
            before.Settle();
        }
        using SealedFile file = fixture.Open();

        Assert.InRange(WriteSteps(file, backing).Count(isNew => isNew), 1, Steps / 8);
        for (int step = 0; step < Steps; step++)
            Assert.Equal(Data(step), file.ReadBytes(step * Step, Step));
    }

    /// <summary>Its blocks are written in parts again and again: packed, they would have to be taken apart each time.</summary>
    [Theory]
    [InlineData(Step)]
    [InlineData(2 * Step)]
    [InlineData(3 * Step)]
    public void A_log_that_is_written_over_in_synced_steps_is_not_packed(int step)
    {
        SealedFixture fixture = SealedFixture.Create(s_recipe);
        using SealedFile file = fixture.Open();
        byte[] text = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("what a database says to itself; ", 3 * Step / 32)))[..step];
        file.WriteAt(0, new byte[24 * Step]);
        for (int at = 0; at < 24 * Step; at += step)
        {
            file.WriteAt(at, text);
            file.Sync(dataOnly: true);
        }
        FileSurvey survey = file.Survey(_ => { });

        // The first syncs look like anybody's.
        Assert.InRange(survey.CompressedBlocks, 0, 6);
        Assert.Equal(0, survey.DamagedBlocks);
        for (int at = 0; at < 24 * Step; at += step)
            Assert.Equal(text, file.ReadBytes(at, step));
    }

    [Fact]
    public void Steps_without_syncs_take_no_more_than_they_write()
    {
        MemoryBacking backing = new();
        SealedFixture fixture = SealedFixture.Create(s_recipe, backing);
        using SealedFile file = fixture.Open();
        file.WriteAt(0, new byte[Steps * Step]);
        file.Sync(dataOnly: true);
        long before = backing.AllocatedBytes;
        for (int step = 0; step < Steps; step++)
            file.WriteAt(step * Step, Data(step));

        Assert.InRange(backing.AllocatedBytes - before, 0, Steps * Step * 5 / 2);
    }

    [Fact]
    public void A_full_disk_stops_nothing_but_the_preparing()
    {
        FullBacking backing = new();
        SealedFixture fixture = SealedFixture.Create(s_recipe, backing);
        using SealedFile file = fixture.Open();
        file.WriteAt(0, new byte[Steps * Step]);
        file.Sync(dataOnly: true);
        backing.LargestWrite = 20 << 10;

        Assert.Equal(Steps, WriteSteps(file, backing).Count());

        Assert.True(backing.Refused > 0);
        for (int step = 0; step < Steps; step++)
            Assert.Equal(Data(step), file.ReadBytes(step * Step, Step));
    }

    [Fact]
    public void Synced_writes_here_and_there_make_their_groups_ready()
    {
        const int Groups = 4, Places = 2, Writes = 200, Unit = 4096;
        int blocks = Groups * 29, size = blocks << 14;
        MemoryBacking backing = new();
        using SealedFile file = Whole(backing, size);
        Random random = new(1);
        int taken = 0;
        for (int i = 0; i < Writes; i++)
        {
            long before = backing.AllocatedBytes;
            file.WriteAt(random.Next(size / Unit) * Unit, Data(i).AsSpan(0, Unit));
            taken += backing.AllocatedBytes > before ? 1 : 0;
            file.Sync(dataOnly: true);
        }

        Assert.InRange(taken, 1, 3 + 4 * Groups);
        Assert.InRange(backing.AllocatedBytes, size, Places * size + Groups * 3 * Unit);
        file.Settle();
    }

    [Fact]
    public void Syncs_of_the_whole_inode_make_nothing_ready()
    {
        MemoryBacking backing = new();
        using SealedFile file = Whole(backing, Steps * Step);
        long before = backing.AllocatedBytes;
        for (int step = 0; step < 20; step++)
        {
            file.WriteAt(step * Step, Data(step));
            file.Sync(dataOnly: false);
        }

        Assert.InRange(backing.AllocatedBytes - before, 0, 20 * Step * 5 / 2);
    }

    [Fact]
    public void What_begins_a_new_file_has_room_to_be_written_again_after_the_first_sync()
    {
        MemoryBacking backing = new();
        SealedFixture fixture = SealedFixture.Create(s_recipe, backing);
        using SealedFile file = fixture.Open();
        foreach (int piece in (int[])[512, 4, 4096, 4, 4096])
            file.WriteAt(file.Length, Data(piece).AsSpan(0, piece));
        file.Sync(dataOnly: true);
        long before = backing.AllocatedBytes;

        file.WriteAt(0, Data(7).AsSpan(0, 12));

        Assert.Equal(before, backing.AllocatedBytes);
        file.Sync(dataOnly: true);
        Assert.Equal(Data(7)[..12], file.ReadBytes(0, 12));
        Assert.Equal(Data(512)[12..512], file.ReadBytes(12, 500));
    }

    /// <summary>
    /// Zeros go where older versions are named yet: never where one is that a power loss may bring back. Two processes take turns, so that each comes to what the other
    /// one has not synced.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_was_synced_outlives_the_power_while_room_is_made(bool isInRow)
    {
        const int Places = 70;
        for (int seed = 0; seed < 150; seed++)
        {
            Random random = new(seed);
            PowerLossBacking backing = new();
            SealedFixture fixture = SealedFixture.Create(s_recipe, backing);
            backing.Sync(dataOnly: false);
            List<int>[] mayBe = [.. Enumerable.Range(0, Places).Select(_ => new List<int> { -1 })];
            SealedFile[] files = [fixture.Open(), fixture.Open()];
            files[0].WriteAt(0, new byte[Places * Step]);
            Sync(files[0], mayBe);
            for (int i = 0, at = 0; i < 80; i++)
            {
                at = isInRow ? (at + random.Next(2)) % Places : random.Next(Places);
                SealedFile file = files[random.Next(2)];
                file.WriteAt(at * Step, Data(i));
                mayBe[at].Add(i);
                if (random.Next(5) > 1)
                    Sync(file, mayBe);
                if (random.Next(30) == 0)
                    file.Settle();
                if (random.Next(40) > 0)
                    continue;
                fixture.Kill();
                files = [fixture.Open(), fixture.Open()];
            }
            fixture.Backing = backing.Land(random, landsPercent: seed % 5 * 25);
            fixture.Reboot();
            using SealedFile found = fixture.Open();
            for (int place = 0; place < Places; place++)
            {
                byte[] bytes = found.ReadBytes(place * Step, Step);
                Assert.True(mayBe[place].Any(step => bytes.SequenceEqual(step < 0 ? new byte[Step] : Data(step))), $"seed {seed}, place {place}");
            }
        }
    }

    [Fact]
    public void Making_a_group_ready_spares_what_another_process_has_not_synced()
    {
        const int Block = 2 * Step;
        for (int seed = 0; seed < 50; seed++)
        {
            PowerLossBacking backing = new();
            SealedFixture fixture = SealedFixture.Create(s_recipe, backing);
            backing.Sync(dataOnly: false);
            using SealedFile one = fixture.Open(), another = fixture.Open();
            foreach (int i in Enumerable.Range(0, 29))
                one.WriteAt(i * Block, Data(i));
            one.Sync(dataOnly: true);
            foreach (int block in (int[])[2, 8, 14, 17])
            {
                one.WriteAt(block * Block, Data(100));
                one.Sync(dataOnly: true);
            }
            another.WriteAt(5 * Block, Data(200));
            foreach (int block in (int[])[10, 20, 25, 12])
                one.WriteAt(block * Block, Data(300));

            fixture.Backing = backing.Land(new Random(seed), landsPercent: seed % 5 * 25);
            fixture.Reboot();
            using SealedFile found = fixture.Open();
            byte[] bytes = found.ReadBytes(5 * Block, Step);
            Assert.True(bytes.SequenceEqual(Data(5)) || bytes.SequenceEqual(Data(200)), $"seed {seed}");
        }
    }

    private static void Sync(SealedFile file, List<int>[] mayBe)
    {
        file.Sync(dataOnly: true);
        foreach (List<int> steps in mayBe)
            steps.RemoveRange(0, steps.Count - 1);
    }

    [Theory]
    [InlineData(CipherSuite.Aes256Gcm, 12)]
    [InlineData(CipherSuite.Aes256Gcm, 18)]
    [InlineData(CipherSuite.Aes256Gcm, 19)]
    [InlineData(CipherSuite.Aes256Gcm, 20)]
    [InlineData(CipherSuite.Aegis256, 18)]
    [InlineData(CipherSuite.Aegis256, 20)]
    public void A_new_file_is_synced_whatever_its_blocks_are(CipherSuite suite, int blockSizeLog2)
    {
        SealedFixture fixture = SealedFixture.Create(s_recipe with { Suite = suite, BlockSizeLog2 = blockSizeLog2 }, new MemoryBacking());
        using SealedFile file = fixture.Open();
        int start = 9 << blockSizeLog2 >> 4;
        file.WriteAt(start, Data(1).AsSpan(0, 1000));
        file.Sync(dataOnly: true);
        file.WriteAt(start + 1000, Data(2).AsSpan(0, 1000));
        file.Sync(dataOnly: true);

        Assert.Equal(Data(1)[..1000], file.ReadBytes(start, 1000));
        Assert.Equal(Data(2)[..1000], file.ReadBytes(start + 1000, 1000));
    }

    private static SealedFile Whole(MemoryBacking backing, int size)
    {
        byte[] plain = new byte[size];
        new Random(7).NextBytes(plain);
        SealedFixture fixture = SealedFixture.Create(s_recipe, backing);
        using (SealedFile made = fixture.Open())
        {
            made.WriteAt(0, plain);
            made.Sync(dataOnly: false);
            made.Settle();
        }
        return fixture.Open();
    }

    private static IEnumerable<bool> WriteSteps(SealedFile file, MemoryBacking backing)
    {
        for (int step = 0; step < Steps; step++)
        {
            long before = backing.AllocatedBytes;
            file.WriteAt(step * Step, Data(step));
            yield return backing.AllocatedBytes > before;
            file.Sync(dataOnly: true);
        }
    }

    private static byte[] Data(int step)
    {
        byte[] data = new byte[Step];
        new Random(step).NextBytes(data);
        return data;
    }

    /// <summary>Has no room for what is longer than a version.</summary>
    private sealed class FullBacking : MemoryBacking
    {
        internal int LargestWrite { get; set; } = int.MaxValue;

        internal int Refused { get; private set; }

        public override void Write(long offset, ReadOnlySpan<byte> data)
        {
            if (data.Length > LargestWrite)
            {
                Refused++;
                throw new ErrnoException(Errno.ENOSPC, "full");
            }
            base.Write(offset, data);
        }
    }
}
