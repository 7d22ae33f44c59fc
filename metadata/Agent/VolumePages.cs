using System;
using System.Collections.Generic;
using System.IO;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Agent;

/// <summary>
/// The right to keep the pages of one volume: a lock on a byte of its lock file, which the kernel frees when the agent dies. The
/// agent that has it says in <c>.overlay/keeper</c> where it listens.
/// </summary>
internal sealed unsafe class VolumePages : IDisposable
{
    /// <summary>No inode has this number.</summary>
    private const long KeeperByte = long.MaxValue - 1;

    private readonly nint _memory;
    private int _lock;

    private VolumePages(int held, nint memory)
    {
        _lock = held;
        _memory = memory;
        Live = new LiveTable((byte*)memory + CoherenceLayout.LiveOffset);
    }

    internal LiveTable Live { get; }

    /// <summary>For the agents and programs of other containers.</summary>
    internal AgentListener? Door { get; private set; }

    /// <summary>Inodes that are mapped with page files of a keeper that is gone, and that nobody has offered yet.</summary>
    internal HashSet<ulong> Orphans { get; } = [];

    /// <summary>Null: another agent keeps them.</summary>
    /// <exception cref="ErrnoException">The volume is read-only, or its files cannot be used.</exception>
    internal static VolumePages? TryElect(string volumeRoot, string ownSocket)
    {
        string directory = $"{volumeRoot}/{VolumePaths.DirectoryName}";
        int held = Open($"{directory}/{VolumePaths.LocksName}");
        try
        {
            FileLock wanted = new() { Type = FileLock.Exclusive, Start = KeeperByte, Length = 1 };
            if (FileCalls.Control(held, FileCalls.SetOwnLock, (nint)(&wanted)) < 0)
                return Errno.Last is Errno.TryAgain or Errno.AccessDenied ? null : throw Errno.Failure("taking the keeper's lock");
            VolumePages pages = new(held, MapCoherence($"{directory}/{VolumePaths.CoherenceName}"));
            held = -1;
            return pages.Begin(volumeRoot, ownSocket);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ErrnoException(Errno.InputOutput, e.Message);
        }
        finally
        {
            PacketSocket.CloseIfOpen(ref held);
        }
    }

    private VolumePages Begin(string volumeRoot, string ownSocket)
    {
        try
        {
            FindOrphans(LiveTable.HoldBase, KeeperByte);
            Live.Restart(Orphans);
            Door = VolumeDoor.TryOpenKeeper(volumeRoot);
            KeeperAddress.Write(volumeRoot, ownSocket);
            return this;
        }
        catch
        {
            Dispose(); // another agent may be able to
            throw;
        }
    }

    /// <summary>Does any process map the inode?</summary>
    internal bool IsHeld(ulong inode) => Probe(LiveTable.HoldBase + (long)inode, 1).Type != FileLock.None;

    public void Dispose()
    {
        Door?.Dispose();
        _ = MemoryCalls.Unmap(_memory, CoherenceLayout.Size);
        PacketSocket.CloseIfOpen(ref _lock);
    }

    /// <summary>Who holds a lock in [start, end): the kernel names any one, then what lies on its sides is asked for.</summary>
    private void FindOrphans(long start, long end)
    {
        while (start < end)
        {
            FileLock found = Probe(start, end - start);
            if (found.Type == FileLock.None)
                return;
            for (long at = Math.Max(found.Start, start); at < Math.Min(end, found.Start + Math.Max(1, found.Length)); at++)
                _ = Orphans.Add((ulong)(at - LiveTable.HoldBase));
            FindOrphans(start, found.Start);
            start = found.Start + Math.Max(1, found.Length);
        }
    }

    private FileLock Probe(long start, long length)
    {
        FileLock probe = new() { Type = FileLock.Exclusive, Start = start, Length = length };
        return FileCalls.Control(_lock, FileCalls.GetOwnLock, (nint)(&probe)) == 0 ? probe : throw Errno.Failure("asking for the mappers of a file");
    }

    private static nint MapCoherence(string path)
    {
        int table = Open(path);
        try
        {
            FileStatus status;
            const int Whole = CoherenceLayout.Size;
            if (FileCalls.Stat(table, "", FileCalls.StatEmptyPath, FileCalls.StatBasic, &status) < 0 ||
                (status.Size < Whole && FileCalls.SetLength(table, Whole) < 0))
                throw Errno.Failure("extending the coherence table");
            nint memory = MemoryCalls.Map(0, Whole, MemoryCalls.ReadWrite, MemoryCalls.Shared, table, 0);
            return memory != -1 ? memory : throw Errno.Failure("mapping the coherence table");
        }
        finally
        {
            PacketSocket.CloseIfOpen(ref table);
        }
    }

    private static int Open(string path)
    {
        int descriptor = FileCalls.Open(path, FileCalls.ReadWrite | FileCalls.CloseOnExec, 0);
        return descriptor >= 0 ? descriptor : throw Errno.Failure($"opening {path}");
    }
}
