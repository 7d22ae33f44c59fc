using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading;
using Overlay.Metadata.Store;
using Overlay.Metadata.Tests.Support;
using Overlay.Metadata.Volumes;
using Xunit;

namespace Overlay.Metadata.Tests.Store;

/// <summary>SIGKILL at any step. A step is one instruction of SQLite's own machine, finer than a statement.</summary>
public class KillTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(200)]
    [InlineData(300)]
    [InlineData(400)]
    public void Volume_can_be_made_again_when_its_making_was_killed_in_the_store(int steps) =>
        MakeKillAndMakeAgain("create", steps);

    [Theory]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(13)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(18)]
    [InlineData(20)]
    [InlineData(21)]
    public void Volume_can_be_made_again_when_its_making_was_killed_between_files(int steps) =>
        MakeKillAndMakeAgain("create-stepping-files", steps);

    [Theory]
    [InlineData(5)]
    [InlineData(20)]
    [InlineData(40)]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(100_000)]
    public void Slot_is_old_or_new_when_its_replacing_was_killed(int steps)
    {
        using var volume = new TestVolume();
        var (status, _, errors) = ChildProcess.Finish(ChildProcess.StartSelf("replace", volume.Root, volume.KeyFile, Text(steps)));
        Assert.True(status == (steps == 100_000 ? 0 : ChildProcess.Killed), $"ended with {status} {errors}");
        var slot = Assert.Single(VolumeUnlocker.ReadSlots(volume.Root));
        using var secret = slot.Kind == SlotKind.KeyFile ? KeySecret.FromKeyFile(volume.KeyFile) : KeySecret.FromPassphrase("correct horse"u8);
        using var unlocked = VolumeUnlocker.Unlock(volume.Root, secret);
    }

    private static void MakeKillAndMakeAgain(string how, int steps)
    {
        using var directory = new TestDirectory();
        var (root, keyFile) = (directory.At("vault"), directory.KeyFile());

        var (status, _, errors) = ChildProcess.Finish(ChildProcess.StartSelf(how, root, keyFile, Text(steps)));
        // A step too far would prove nothing.
        Assert.True(status == ChildProcess.Killed, $"it was not killed: {status} {errors}");
        var error = Assert.Throws<VolumeException>(() => VolumeConfig.Load(root)).Error;
        Assert.Contains(error, new[] { VolumeError.HalfMade, VolumeError.NotAVolume });
        Assert.Equal(0, ChildProcess.Finish(ChildProcess.StartSelf("create", root, keyFile, "0")).Status);

        using var secret = KeySecret.FromKeyFile(keyFile);
        using var volume = VolumeUnlocker.Unlock(root, secret);
        Assert.Single(volume.Store.ReadKeySlots());
    }

    [Fact]
    public void Every_key_handed_out_is_in_the_store_and_handed_out_once_when_agents_are_killed()
    {
        using var volume = new TestVolume();
        var handed = new Dictionary<string, string>();
        int[] steps = [6_000, 11_000, 15_000, 22_000, 33_000, 60_000];
        for (var i = 0; i < steps.Length; i += 2)
        {
            // Two at a time on one store.
            var children = new[] { steps[i], steps[i + 1] }.Select(
                count => ChildProcess.StartSelf("take", volume.Root, volume.KeyFile, Text(count))).ToArray();
            var results = new (int Status, string Output, string Errors)[children.Length];
            var threads = children.Select((child, n) => new Thread(() => results[n] = ChildProcess.Finish(child))).ToList();
            threads.ForEach(thread => thread.Start());
            threads.ForEach(thread => thread.Join());
            foreach (var (status, output, errors) in results)
            {
                Assert.True(status is 0 or ChildProcess.Killed, errors);
                AddAll(handed, output);
            }
        }
        Assert.NotEmpty(handed);
        AssertAllStored(volume, handed);
    }

    [Fact]
    public void Every_key_handed_out_is_in_the_store_when_an_agent_is_killed_from_outside()
    {
        using var volume = new TestVolume();
        var handed = new Dictionary<string, string>();
        foreach (var delay in new[] { 150, 220, 290 })
        {
            var child = ChildProcess.StartSelf("take", volume.Root, volume.KeyFile, "0");
            Thread.Sleep(delay);
            child.Kill();
            AddAll(handed, ChildProcess.Finish(child).Output);
        }
        AssertAllStored(volume, handed);
        Assert.Equal(1, volume.Sql("SELECT integrity_check = 'ok' FROM pragma_integrity_check"));
    }

    private static void AddAll(Dictionary<string, string> handed, string output)
    {
        foreach (var line in output.Split('\n', System.StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = line.Split(' ');
            Assert.True(handed.TryAdd(parts[0], parts[1]), $"{parts[0]} was handed out twice");
        }
        Assert.Equal(handed.Count, handed.Values.Distinct().Count());
    }

    private static void AssertAllStored(TestVolume volume, Dictionary<string, string> handed)
    {
        using var unlocked = volume.Unlock();
        var key = new byte[32];
        foreach (var (fileId, expected) in handed)
        {
            Assert.True(unlocked.TryGetFileKey(System.Convert.FromHexString(fileId), key), $"{fileId} was lost");
            Assert.Equal(expected, System.Convert.ToHexStringLower(key));
        }
        Assert.True(unlocked.Store.CountFiles(FileState.Live) <= handed.Count);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
