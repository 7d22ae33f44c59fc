using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Keys;

/// <summary>
/// Rids a store's files of what was deleted or overwritten. SQLite zeroes what is deleted (secure_delete), but pages that it rebuilt keep old
/// bytes between their rows, and its log keeps old pages: so all is written anew, and the log emptied.
/// </summary>
internal static class StoreCleaning
{
    private static readonly string[] s_suffixes = ["", "-wal", "-journal"];

    private const int BufferSize = 1 << 20;

    /// <returns>False: another process was using the store all the time, or there is no room to rewrite it; old bytes are still there.</returns>
    internal static bool TryClean(StoreConnection store)
    {
        // What is on its way lies in memory, not in a temporary file.
        store.Execute("PRAGMA temp_store = MEMORY");
        try
        {
            store.Execute("VACUUM");
        }
        catch (VolumeException e) when (e.Error is VolumeError.Busy or VolumeError.DiskFull)
        {
            // What was to be done is done: this is tidying up, and can be done again.
            _ = store.TryEmptyLog();
            return false;
        }
        return store.TryEmptyLog();
    }

    /// <summary>How many of these byte strings, each of 16 bytes at least, are anywhere in the store's files.</summary>
    internal static int Count(string storePath, IReadOnlyCollection<byte[]> wanted, out long scanned)
    {
        scanned = 0;
        Dictionary<ulong, List<byte[]>> byStart = [];
        foreach (byte[] pattern in wanted)
        {
            ulong start = MemoryMarshal.Read<ulong>(pattern);
            if (!byStart.TryGetValue(start, out List<byte[]>? same))
                byStart[start] = same = [];
            same.Add(pattern);
        }
        HashSet<byte[]> found = []; // arrays are told apart by what they are, not by what is in them
        foreach (string suffix in s_suffixes)
            scanned += Scan(storePath + suffix, byStart, found);
        return found.Count;
    }

    private static long Scan(string path, Dictionary<ulong, List<byte[]>> byStart, HashSet<byte[]> found)
    {
        const int Overlap = 256;
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            byte[] buffer = new byte[BufferSize + Overlap];
            long total = 0;
            for (int kept = 0; ; kept = Overlap)
            {
                int read = file.ReadAtLeast(buffer.AsSpan(kept, BufferSize), BufferSize, throwOnEndOfStream: false);
                total += read;
                Search(buffer.AsSpan(0, kept + read), byStart, found);
                if (read < BufferSize)
                    return total;
                // What lies across two pieces is seen whole in the second.
                buffer.AsSpan(kept + BufferSize - Overlap, Overlap).CopyTo(buffer);
            }
        }
        catch (FileNotFoundException)
        {
            return 0; // no log, no journal
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new VolumeException(VolumeError.StoreUnavailable, $"{path} cannot be read: {e.Message}", e);
        }
    }

    private static void Search(ReadOnlySpan<byte> bytes, Dictionary<ulong, List<byte[]>> byStart, HashSet<byte[]> found)
    {
        for (int at = 0; at + sizeof(ulong) <= bytes.Length; at++)
        {
            if (!byStart.TryGetValue(MemoryMarshal.Read<ulong>(bytes[at..]), out List<byte[]>? candidates))
                continue;
            foreach (byte[] pattern in candidates)
                if (bytes[at..].StartsWith(pattern))
                    found.Add(pattern);
        }
    }
}
