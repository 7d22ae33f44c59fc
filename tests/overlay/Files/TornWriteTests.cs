using System;
using System.Linq;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Tests.Doubles;
using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Overlay.Tests.Files;

/// <summary>
/// Invariant 2 where a write itself is cut: a process is killed in each write of a scenario, of which some first bytes are there.
/// </summary>
public class TornWriteTests(ITestOutputHelper output)
{
    private static readonly int[] s_cuts = [0, 90, 195, 333, 502, 777, 999];

    [Theory]
    [InlineData(12, false, false)]
    [InlineData(12, true, true)]
    [InlineData(14, true, false)]
    [InlineData(14, false, true)]
    [InlineData(13, false, false)]
    public void Killed_inside_any_write_leaves_every_block_old_or_new(int blockSizeLog2, bool compresses, bool readsFirst)
    {
        Recipe recipe = new(CipherSuite.Aes256Gcm, compresses, blockSizeLog2);
        int kills = 0;
        foreach ((string name, Step[] steps) in Scenario.All(recipe.BlockSize))
            for (int write = 1; RunWithCut(recipe, name, steps, write, s_cuts[kills % s_cuts.Length], readsFirst); write++)
                kills++;
        output.WriteLine($"{kills} kills");
    }

    /// <summary>Entries are 128 bytes: every byte of the one write that replaces one.</summary>
    [Fact]
    public void Killed_at_any_byte_of_an_entry_leaves_the_block_old_or_new()
    {
        Recipe recipe = new(CipherSuite.Aes256Gcm, false, 12);
        Step[] steps = [.. Scenario.All(recipe.BlockSize).First(scenario => scenario.Name == "groups").Steps.Take(3)];
        int kills = 0;
        for (int permille = 0; permille < 1000; permille += 7)
            for (int write = 1; RunWithCut(recipe, "groups", steps, write, permille, readsFirst: permille % 2 == 0); write++)
                kills++;
        output.WriteLine($"{kills} kills");
    }

    [Theory]
    [InlineData(5)]
    [InlineData(60)]
    [InlineData(500)]
    [InlineData(900)]
    public void Killed_inside_the_write_that_makes_a_file_leaves_a_file(int permille)
    {
        Recipe recipe = new(CipherSuite.Aes256Gcm, true, 12);
        CutBacking backing = new() { CutAt = 1, CutPermille = permille };
        SealedFixture fixture = new(recipe, backing);
        DataKey key = DataKey.Import(recipe.Suite, SealedFixture.SecretKey);
        Assert.Throws<KilledException>(() => SealedFile.Create(fixture.Context, true, 12, SealedFixture.FileId, key));
        fixture.KillIn(backing);
        using SealedFile file = fixture.Open();
        Assert.Equal(0, file.Length);
        file.WriteAt(0, [1, 2, 3]);
        Assert.Equal([1, 2, 3], file.ReadBytes(0, 10));
    }

    /// <summary>A reader that may not write sees what a writer would have made of it.</summary>
    [Fact]
    public void A_reader_that_cannot_write_finds_it_whole()
    {
        Recipe recipe = new(CipherSuite.Aes256Gcm, false, 12);
        byte[] before = [.. Enumerable.Repeat((byte)1, 3 * 4096)], after = [.. Enumerable.Repeat((byte)2, 4096)];
        for (int write = 1; ; write++)
        {
            CutBacking backing = new() { CutPermille = 200 };
            SealedFixture fixture = SealedFixture.Create(recipe, backing);
            using SealedFile file = fixture.Open();
            file.WriteAt(0, before);
            file.Sync(dataOnly: false);
            file.WriteAt(0, before);
            backing.CutAt = backing.Writes + write;
            try
            {
                file.WriteAt(4096, after);
            }
            catch (KilledException)
            {
            }
            if (!backing.IsDead)
                return;
            fixture.KillIn(backing);
            MemoryBacking kept = fixture.Backing.Clone();
            fixture.Backing = new ReadOnlyBacking(kept);
            using SealedFile reader = fixture.Open();
            byte[] found = reader.ReadBytes(4096, 4096);
            Assert.True(found.AsSpan().SequenceEqual(after) || found.AsSpan().SequenceEqual(before.AsSpan(0, 4096)), $"write {write}");
            Assert.Equal(before[..4096], reader.ReadBytes(0, 4096));
            Assert.Empty(fixture.Log.Lines);
        }
    }

    /// <summary>The inode number of a file whose writer was killed may be another file's by now.</summary>
    [Fact]
    public void What_was_kept_for_another_file_is_dropped()
    {
        Recipe recipe = new(CipherSuite.Aes256Gcm, false, 12);
        byte[] other = [.. SealedFixture.FileId.Reverse()];
        SealedFixture fixture = SealedFixture.Create(recipe);
        using (SealedFile file = fixture.Open())
            file.WriteAt(0, [1, 2, 3]);
        fixture.Coherence.BeginWrite();
        fixture.Redo.Begin(other, 0, new byte[512], 0, default);
        using SealedFile again = fixture.Open();
        Assert.Equal([1, 2, 3], again.ReadBytes(0, 10));
        again.WriteAt(3, [4]);
        Assert.Equal([1, 2, 3, 4], again.ReadBytes(0, 10));
        Assert.False(fixture.Redo.IsPending);
    }

    /// <summary>False if the scenario has fewer writes.</summary>
    private static bool RunWithCut(Recipe recipe, string scenario, Step[] steps, int write, int permille, bool readsFirst)
    {
        CutBacking backing = new() { CutPermille = permille };
        SealedFixture fixture = SealedFixture.Create(recipe, backing);
        fixture.KeepsBases = write % 2 == 0;
        SealedFile file = fixture.Open();
        backing.CutAt = backing.Writes + write;
        byte[] model = [];
        string where = "";
        try
        {
            foreach (Step step in steps)
            {
                where = $"{recipe} {scenario}, write {write} at {permille}/1000: {step.Name}";
                bool wasDead = backing.IsDead;
                byte[] next = step.Model(model);
                try
                {
                    step.Do(file);
                }
                catch (KilledException) when (!wasDead)
                {
                }
                if (!backing.IsDead || wasDead)
                {
                    model = next;
                    Scenario.CheckSame(file, model);
                    continue;
                }
                file.Dispose();
                fixture.KillIn(backing);
                file = fixture.Open();
                if (!readsFirst)
                    file.Settle();
                model = Scenario.CheckOldOrNew(file, recipe.BlockSize, model, next);
            }
            using SealedFile again = fixture.Open();
            Scenario.CheckSame(again, model);
            FileSurvey survey = again.Survey(_ => { });
            Assert.Equal(0, survey.DamagedBlocks);
            Assert.NotEqual(DigestState.Differs, survey.Digest);
            Assert.Empty(fixture.Log.Lines);
        }
        catch (Exception exception) when (exception is not XunitException { InnerException: not null })
        {
            throw new XunitException($"{where}: {exception}");
        }
        finally
        {
            file.Dispose();
        }
        return backing.IsDead;
    }
}
