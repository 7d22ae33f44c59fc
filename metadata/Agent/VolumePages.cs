using System;
using System.IO;
using System.Text;
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

    private const int CoherenceSize = LiveTable.Size;

    private readonly nint _memory;
    private int _lock;

    private VolumePages(int held, nint memory)
    {
        _lock = held;
        _memory = memory;
        Live = new LiveTable((byte*)memory + CoherenceSize);
    }

    internal LiveTable Live { get; }

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
            pages.Live.Clear();
            File.WriteAllText($"{directory}/{VolumePaths.KeeperName}", ownSocket);
            return pages;
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

    /// <summary>Where the agent that keeps them listens; "" if it does not say.</summary>
    internal static string FindKeeper(string volumeRoot)
    {
        byte[]? path = VolumeFiles.TryRead($"{volumeRoot}/{VolumePaths.DirectoryName}/{VolumePaths.KeeperName}", AgentMessage.MaxText);
        return path is null ? "" : Encoding.UTF8.GetString(path);
    }

    public void Dispose()
    {
        _ = MemoryCalls.Unmap(_memory, CoherenceSize + LiveTable.Size);
        PacketSocket.CloseIfOpen(ref _lock);
    }

    private static nint MapCoherence(string path)
    {
        int table = Open(path);
        try
        {
            FileStatus status;
            const int Whole = CoherenceSize + LiveTable.Size;
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
