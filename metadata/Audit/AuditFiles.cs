using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Audit;

/// <summary>The log's directory, beside the store: STORE.audit/00000001.jsonl and so on, for their owner alone.</summary>
internal static class AuditFiles
{
    private const string Suffix = ".jsonl", LockName = "lock";
    private const int BusyMilliseconds = 5_000, RetryMilliseconds = 2;

    internal static string DirectoryOf(string storePath) => storePath + ".audit";

    internal static string PathOf(string directory, long segment) =>
        Path.Combine(directory, segment.ToString("D8", CultureInfo.InvariantCulture) + Suffix);

    /// <summary>The numbers of the files that are there, in order.</summary>
    internal static List<long> List(string directory)
    {
        if (!Directory.Exists(directory))
            return [];
        return [.. Directory.EnumerateFiles(directory, "*" + Suffix)
            .Select(path => long.TryParse(Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0)
            .Where(number => number > 0).Order()];
    }

    /// <summary>One writer at a time, of however many agents. Released by disposal, and by the kernel when its process dies.</summary>
    internal static IDisposable Lock(string directory)
    {
        string path = Path.Combine(directory, LockName);
        int descriptor = FileCalls.Open(path, FileCalls.ReadWrite | FileCalls.Create | FileCalls.CloseOnExec | FileCalls.NoFollow, 0x180);
        if (descriptor < 0)
            throw new VolumeException(VolumeError.StoreUnavailable, $"The audit log's lock {path} cannot be opened: errno {Errno.Last}.");
        for (Stopwatch waited = Stopwatch.StartNew(); FileCalls.Lock(descriptor, FileCalls.LockExclusive | FileCalls.LockNoWait) < 0; Thread.Sleep(RetryMilliseconds))
        {
            if (waited.ElapsedMilliseconds < BusyMilliseconds)
                continue;
            _ = FileCalls.Close(descriptor);
            throw new VolumeException(VolumeError.Busy, $"The audit log {directory} is held by another process.");
        }
        return new Held(descriptor);
    }

    private sealed class Held(int descriptor) : IDisposable
    {
        private int _descriptor = descriptor;

        public void Dispose()
        {
            // A child just forked may hold a copy of the descriptor until it comes to exec.
            _ = FileCalls.Lock(_descriptor, FileCalls.Unlock);
            PacketSocket.CloseIfOpen(ref _descriptor);
        }
    }
}
