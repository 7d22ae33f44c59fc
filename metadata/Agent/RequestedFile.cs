using System;
using System.Collections.Generic;
using System.IO;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Agent;

/// <summary>The file behind a descriptor that a client sent with its question, as the agent sees it: a client's own words count for nothing.</summary>
internal sealed unsafe class RequestedFile
{
    // Format §4: magic (8), ..., file id at 16, volume id at 32.
    private const int HeadSize = 48, FileIdOffset = 16, VolumeIdOffset = 32;

    private RequestedFile(byte[] fileId, string path, bool isConfirmed) => (FileId, Path, IsConfirmed) = (fileId, path, isConfirmed);

    /// <summary>By its header; empty: it has none of this volume.</summary>
    internal byte[] FileId { get; }

    /// <summary>Relative to the volume; "" if it does not lie in there.</summary>
    internal string Path { get; }

    /// <summary>Whoever follows the path comes to this file: it was not deleted, and is not only called so in somebody's own name space.</summary>
    internal bool IsConfirmed { get; }

    internal static RequestedFile Look(int descriptor, UnlockedVolume volume)
    {
        string path = new FileInfo(DescriptorCheck.PathOf(descriptor)).LinkTarget ?? "";
        FileStatus status, there;
        bool isConfirmed = path.StartsWith('/') && FileCalls.Stat(descriptor, "", FileCalls.StatEmptyPath, FileCalls.StatBasic, &status) == 0
            && FileCalls.Stat(FileCalls.CurrentDirectory, path, FileCalls.StatNoFollow, FileCalls.StatBasic, &there) == 0
            && status.Device == there.Device && status.Inode == there.Inode;
        return new RequestedFile(ReadFileId(descriptor, volume), Relative(isConfirmed ? path : PeerProcess.WithoutMark(path), volume.RealRoot), isConfirmed);
    }

    /// <summary>What the file may be judged by: where it is, and where it was made.</summary>
    /// <returns>Empty: neither can be told.</returns>
    internal IReadOnlyList<string> Paths(string? noted)
    {
        bool isNoted = !string.IsNullOrEmpty(noted);
        if (Path.Length == 0 || (!IsConfirmed && !isNoted))
            return isNoted && Path.Length == 0 ? [noted!] : [];
        return isNoted && noted != Path ? [Path, noted!] : [Path];
    }

    private static byte[] ReadFileId(int descriptor, UnlockedVolume volume)
    {
        Span<byte> head = stackalloc byte[HeadSize];
        fixed (byte* start = head)
        {
            if (FileCalls.ReadAt(descriptor, start, HeadSize, 0) != HeadSize)
                return [];
        }
        return head[VolumeIdOffset..].SequenceEqual(volume.VolumeId.Span) ? head.Slice(FileIdOffset, AgentMessage.FileIdSize).ToArray() : [];
    }

    private static string Relative(string path, string root)
    {
        string prefix = root.EndsWith('/') ? root : root + "/";
        return path.StartsWith(prefix, StringComparison.Ordinal) ? path[prefix.Length..] : "";
    }
}
