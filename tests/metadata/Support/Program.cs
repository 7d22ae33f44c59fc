using System;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Tests.Support;

/// <summary>What the tests run as a process of its own, because it is killed: at the n-th step of SQLite, or from outside.</summary>
internal static partial class Program
{
    private const int Kill = 9;
    private static long s_stepsLeft;
    private static readonly SQLitePCL.delegate_progress s_countDown = CountDown;

    public static int Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["create", var root, var keyFile, var steps]:
                DieAfter(steps);
                using (var secret = KeySecret.FromKeyFile(keyFile))
                    _ = VolumeCreator.Create(root, secret, new VolumeOptions());
                return 0;
            case ["replace", var root, var keyFile, var steps]:
                using (var secret = KeySecret.FromKeyFile(keyFile))
                using (var volume = VolumeUnlocker.Unlock(root, secret))
                using (var passphrase = KeySecret.FromPassphrase("correct horse"u8))
                {
                    DieInAfter(volume, steps);
                    _ = volume.ReplaceSlot(volume.OpenedSlot, passphrase, "new", new PassphraseCost(1024, 1));
                }
                return 0;
            case ["rotate", var root, var keyFile, var steps]:
                using (var secret = KeySecret.FromKeyFile(keyFile))
                using (var volume = VolumeUnlocker.Unlock(root, secret))
                {
                    DieInAfter(volume, steps);
                    using var rotation = new KeyRotation(volume, []);
                    rotation.Run();
                }
                return 0;
            case ["shred", var root, var keyFile, var fileId, var steps]:
                using (var secret = KeySecret.FromKeyFile(keyFile))
                using (var volume = VolumeUnlocker.Unlock(root, secret))
                {
                    DieInAfter(volume, steps);
                    var shredder = new KeyShredder(volume, "number");
                    shredder.DestroyRows([(Convert.FromHexString(fileId), "file")]);
                    _ = shredder.CleanStore();
                    _ = shredder.CleanCopies([]);
                }
                return 0;
            case ["restore", var copy, var storePath, var volumeId]:
                using (var restore = StoreRestore.Begin(copy, storePath, Convert.FromHexString(volumeId)))
                {
                    StoreComparison comparison;
                    using (var opened = restore.OpenCopy())
                        comparison = StoreComparison.Make(opened.Store, restore.Current, []);
                    Console.WriteLine("go");
                    restore.Run(comparison);
                }
                return 0;
            case ["rows", var root, var keyFile, var count]:
                MakeRows(root, keyFile, int.Parse(count, CultureInfo.InvariantCulture));
                return 0;
            case ["create-stepping-files", var root, var keyFile, var steps]:
                s_stepsLeft = long.Parse(steps, CultureInfo.InvariantCulture);
                VolumeFiles.Changing = () => CountDown(null);
                using (var secret = KeySecret.FromKeyFile(keyFile))
                    _ = VolumeCreator.Create(root, secret, new VolumeOptions());
                return 0;
            case ["take", var root, var keyFile, var steps]:
                DieAfter(steps);
                Take(root, keyFile);
                return 0;
            case ["serve", var root, var keyFile, var socketPath]:
                Serve(root, keyFile, socketPath);
                return 0;
            case ["sample", var target]:
                MakeSample(target);
                return 0;
            default:
                Console.Error.WriteLine("create|take|serve|sample …: only for the tests");
                return 64;
        }
    }

    /// <summary>Hands keys out as fast as it can, says so of each, and notes every other as created.</summary>
    private static void Take(string root, string keyFile)
    {
        using var secret = KeySecret.FromKeyFile(keyFile);
        using var volume = VolumeUnlocker.Unlock(root, secret);
        using var pool = new KeyPool(volume);
        using var output = Console.OpenStandardOutput();
        Span<byte> fileId = stackalloc byte[16];
        Span<byte> key = stackalloc byte[32];
        for (var i = 0; i < 2_000; i++)
        {
            if (pool.IsLow)
                pool.Refill();
            pool.Take(fileId, key);
            // One write is one line, so a line that is there is whole.
            output.Write(System.Text.Encoding.ASCII.GetBytes(
                $"{Convert.ToHexStringLower(fileId)} {Convert.ToHexStringLower(key)}\n"));
            if (i % 2 == 0)
                pool.NoteCreated(fileId, $"file {i.ToString(CultureInfo.InvariantCulture)}");
            if (i % 100 == 0)
                pool.Flush();
        }
        pool.Retire();
    }

    private static void Serve(string root, string keyFile, string socketPath)
    {
        using var secret = KeySecret.FromKeyFile(keyFile);
        using var volume = VolumeUnlocker.Unlock(root, secret);
        using var server = new AgentServer([volume], socketPath, 0, Console.Error.WriteLine);
        Console.WriteLine("ready");
        server.Run(0);
    }

    /// <summary>How Samples/v1 was made (SampleTests); a later version gets one of its own, this one stays.</summary>
    private static void MakeSample(string target)
    {
        Directory.CreateDirectory(target);
        var keyFile = Path.Combine(target, "key");
        File.WriteAllBytes(keyFile, System.Text.Encoding.ASCII.GetBytes("a key file of a sample, no secret at all"));
        using var secret = KeySecret.FromKeyFile(keyFile);
        var options = new VolumeOptions { Suite = Overlay.Crypto.CipherSuite.Aegis256, BlockSizeLog2 = 15, SlotLabel = "first" };
        _ = VolumeCreator.Create(Path.Combine(target, "volume"), secret, options);
        using var volume = VolumeUnlocker.Unlock(Path.Combine(target, "volume"), secret);
        using var passphrase = KeySecret.FromPassphrase("correct horse"u8);
        volume.AddSlot(passphrase, "second", new PassphraseCost(1024, 2));
        using var pool = new KeyPool(volume);
        byte[] fileId = new byte[16], key = new byte[32];
        pool.Refill();
        pool.Take(fileId, key);
        pool.NoteCreated(fileId, "a/sample");
        pool.Retire();
        File.WriteAllText(Path.Combine(target, "file.txt"),
            $"{Convert.ToHexStringLower(fileId)} {Convert.ToHexStringLower(key)}\n");
    }

    private static void DieInAfter(UnlockedVolume volume, string steps)
    {
        s_stepsLeft = long.Parse(steps, CultureInfo.InvariantCulture);
        SQLitePCL.raw.sqlite3_progress_handler(volume.Store.Connection.Sqlite.Handle, 1, s_countDown, null);
    }

    /// <summary>So many files as the store knows them; there are none behind them.</summary>
    private static void MakeRows(string root, string keyFile, int count)
    {
        using var secret = KeySecret.FromKeyFile(keyFile);
        using var volume = VolumeUnlocker.Unlock(root, secret);
        byte[] fileId = new byte[16], key = new byte[32];
        volume.Store.Connection.InTransaction(() =>
        {
            for (var i = 0; i < count; i++)
            {
                Overlay.Crypto.NonceSource.Fill(fileId);
                Overlay.Crypto.NonceSource.Fill(key);
                volume.Store.Files.InsertPooled(fileId, volume.Wrap(fileId, key), volume.Store.Volume, 1_600_000_000 + i * 100L);
                volume.Store.Files.SetLive(fileId, $"some/directory/{i / 1000}/file-{i}");
            }
        });
    }

    private static void DieAfter(string steps)
    {
        s_stepsLeft = long.Parse(steps, CultureInfo.InvariantCulture);
        if (s_stepsLeft > 0)
            StoreConnection.Opened = sqlite => SQLitePCL.raw.sqlite3_progress_handler(sqlite.Handle, 1, s_countDown, null);
    }

    private static int CountDown(object? data)
    {
        if (--s_stepsLeft == 0)
            _ = SendSignal(Environment.ProcessId, Kill);
        return 0;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int processId, int signal);
}
