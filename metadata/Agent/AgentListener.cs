using System;
using System.IO;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Agent;

/// <summary>
/// The agent's listening socket, at a path that it alone serves: a lock file beside it tells a living agent from the
/// socket of a dead one, which is removed.
/// </summary>
internal sealed unsafe class AgentListener : IDisposable
{
    private const int Backlog = 128;
    private const uint PrivateSocket = 0x180, OpenSocket = 0x1B6;    // 0600, 0666

    private readonly string _path;
    private int _lock;
    private int _descriptor = -1;

    /// <param name="path">Its directory must pass <see cref="AgentAddress.CheckDirectory"/>.</param>
    /// <param name="reachableByOthers">Other users' processes can connect, and are then judged by what they are.</param>
    internal AgentListener(string path, bool reachableByOthers)
    {
        _path = Path.GetFullPath(path);
        string directory = Path.GetDirectoryName(_path)!;
        AgentAddress.CheckDirectory(directory);
        _lock = TakeLock();
        try
        {
            VolumeFiles.RemoveIfThere(_path);
            Bind(reachableByOthers ? OpenSocket : PrivateSocket);
            if (reachableByOthers && FileCalls.ChangeMode(directory, AgentAddress.Searchable) < 0)
                throw Errno.Failure($"opening {directory} for others");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal int Descriptor => _descriptor;

    private string LockPath => _path + ".lock";

    /// <returns>A connection, or the negative errno; EAGAIN when no one waits.</returns>
    internal int Accept()
    {
        // The flag of the socket itself is not inherited by what is accepted: every call there says DoNotWait.
        int accepted = SocketCalls.Accept(_descriptor, null, null, SocketCalls.CloseOnExec);
        return accepted >= 0 ? accepted : -Errno.Last;
    }

    public void Dispose()
    {
        if (_descriptor >= 0)
            _ = FileCalls.Unlink(_path);
        PacketSocket.CloseIfOpen(ref _descriptor);
        if (_lock >= 0)
        {
            _ = FileCalls.Unlink(LockPath);
            // A child just forked may hold a copy of the descriptor until it comes to exec.
            _ = FileCalls.Lock(_lock, FileCalls.Unlock);
        }
        PacketSocket.CloseIfOpen(ref _lock);
    }

    private int TakeLock()
    {
        while (true)
        {
            int flags = FileCalls.ReadWrite | FileCalls.Create | FileCalls.CloseOnExec | FileCalls.NoFollow;
            int descriptor = FileCalls.Open(LockPath, flags, PrivateSocket);
            if (descriptor < 0)
                throw Errno.Failure($"opening {LockPath}");
            if (FileCalls.Lock(descriptor, FileCalls.LockExclusive | FileCalls.LockNoWait) < 0)
            {
                int error = Errno.Last == Errno.TryAgain ? Errno.AddressInUse : Errno.Last;
                _ = FileCalls.Close(descriptor);
                throw Errno.Failure(error, $"an agent serves {_path} already");
            }
            if (IsStillThere(descriptor))
                return descriptor;
            // The agent that had it left, and removed it, between our open and our lock.
            _ = FileCalls.Close(descriptor);
        }
    }

    private bool IsStillThere(int descriptor)
    {
        FileStatus ours;
        if (FileCalls.Stat(descriptor, "", FileCalls.StatEmptyPath, FileCalls.StatBasic, &ours) < 0)
            throw Errno.Failure($"looking at {LockPath}");
        return VolumeFiles.TryStatus(LockPath, out FileStatus named)
            && named.Inode == ours.Inode && named.Device == ours.Device;
    }

    private void Bind(uint mode)
    {
        const int NonBlocking = 0x800;
        int type = SocketCalls.SequencedPackets | SocketCalls.CloseOnExec | NonBlocking;
        _descriptor = SocketCalls.Socket(SocketCalls.AddressFamilyUnix, type, 0);
        if (_descriptor < 0)
            throw Errno.Failure("making a socket");
        using SocketAddress address = new(_path);
        fixed (byte* bytes = address.Bytes)
        {
            if (SocketCalls.Bind(_descriptor, bytes, (uint)address.Bytes.Length) < 0)
                throw Errno.Failure($"binding {_path}");
        }
        // Nobody can connect before listen, so the mode is right from the first connection on.
        if (FileCalls.ChangeMode(_path, mode) < 0 || SocketCalls.Listen(_descriptor, Backlog) < 0)
            throw Errno.Failure($"listening on {_path}");
    }
}
