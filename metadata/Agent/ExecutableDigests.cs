using System;
using System.Collections.Generic;
using System.IO;
using Overlay.Crypto;
using Overlay.Metadata.Interop;

namespace Overlay.Metadata.Agent;

/// <summary>SHA-256 of programs that run, each made once for as long as its file stays the same.</summary>
internal sealed unsafe class ExecutableDigests
{
    private const int MostKnown = 1024;

    private readonly Dictionary<Key, string> _known = [];

    /// <summary>Null: it cannot be read.</summary>
    internal string? Of(int processId)
    {
        try
        {
            // The very file that runs, whatever its path leads to by now.
            using FileStream file = new(ProcessFiles.PathOf(processId, "exe"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            FileStatus status;
            if (FileCalls.Stat((int)file.SafeFileHandle.DangerousGetHandle(), "", FileCalls.StatEmptyPath, FileCalls.StatBasic, &status) != 0)
                return null;
            Key key = new(status.Device, status.Inode, status.Size, status.ModifiedSeconds, status.ModifiedNanoseconds, status.ChangedSeconds, status.ChangedNanoseconds);
            if (_known.TryGetValue(key, out string? digest))
                return digest;
            if (_known.Count >= MostKnown)
                _known.Clear();
            return _known[key] = FileDigest.Sha256(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private readonly record struct Key(ulong Device, ulong Inode, ulong Size, long Modified, uint ModifiedRest, long Changed, uint ChangedRest);
}
