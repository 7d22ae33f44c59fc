using System;
using System.Collections.Generic;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Policy;
using Overlay.Metadata.Protocol;

namespace Overlay.Metadata.Agent;

/// <summary>
/// The process at the other end of a connection, for a policy that asks who it is. It is looked at when the connection comes and at every question: a
/// number may be another process's by then, and a process may have executed another program, while somebody else holds the connection.
/// </summary>
internal sealed unsafe class PeerProcess
{
    private readonly PeerCredentials _peer;
    private readonly long _startTime;
    private readonly (ulong Device, ulong Inode) _executable;
    private readonly bool _wasGone;

    /// <param name="socket">The connection, which must have come a moment ago.</param>
    internal PeerProcess(int socket, PeerCredentials peer)
    {
        _peer = peer;
        _startTime = ProcessFiles.StartTime(peer.ProcessId);
        _executable = Identity(peer.ProcessId);
        _wasGone = IsGone(socket);
    }

    internal int ProcessId => _peer.ProcessId;

    /// <summary>Who asks now. Null: nobody who could be told.</summary>
    /// <param name="digests">Hashes of programs that were made already.</param>
    /// <param name="complaint">Why, if null.</param>
    internal PolicySubject? Look(ExecutableDigests digests, out string complaint)
    {
        bool isSame = !_wasGone && _startTime >= 0 && ProcessFiles.StartTime(ProcessId) == _startTime;
        (ulong, ulong) executable = Identity(ProcessId);
        // One that may not be looked into any more has no program: no rule gives it anything for that.
        if (!isSame || (executable != _executable && executable != default))
        {
            complaint = isSame ? "it has executed another program since it connected" : "it has ended, or cannot be looked at";
            return null;
        }
        complaint = "";
        // Whoever gave up its privileges is judged as what it is now.
        if (!ProcessFiles.TryReadOwner(ProcessId, out uint userId, out List<uint> groupIds))
            (userId, groupIds) = (_peer.UserId, [_peer.GroupId]);
        string path = executable == default ? "" : AgentAudit.ExecutableOf(ProcessId);
        bool isConfirmed = executable != default && IdentityOf(path) == executable;
        return new PolicySubject(userId, groupIds, WithoutMark(path), () => digests.Of(ProcessId)) { IsExecutableConfirmed = isConfirmed };
    }

    /// <summary>"PATH (deleted)" is what was PATH.</summary>
    internal static string WithoutMark(string path)
    {
        const string Mark = " (deleted)";
        return path.EndsWith(Mark, StringComparison.Ordinal) ? path[..^Mark.Length] : path;
    }

    private static (ulong, ulong) Identity(int processId) => IdentityOf(ProcessFiles.PathOf(processId, "exe"));

    private static (ulong, ulong) IdentityOf(string path)
    {
        FileStatus status;
        return path.StartsWith('/') && FileCalls.Stat(FileCalls.CurrentDirectory, path, 0, FileCalls.StatBasic, &status) == 0 ? (status.Device, status.Inode) : (0, 0);
    }

    /// <summary>The peer had ended by now, so that what /proc said may be another process's. Kernels before 6.5 do not tell.</summary>
    private static bool IsGone(int socket)
    {
        int descriptor;
        uint length = sizeof(int);
        if (SocketCalls.GetOption(socket, SocketCalls.SocketLevel, SocketCalls.OptionPeerDescriptor, &descriptor, &length) != 0)
            return false;
        PollEntry entry = new() { Descriptor = descriptor, Wanted = PollEntry.Readable };
        bool isGone = SocketCalls.Poll(&entry, 1, 0) != 0;
        PacketSocket.CloseIfOpen(ref descriptor);
        return isGone;
    }
}
