using System;
using System.Collections.Generic;
using System.Threading;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Policy;

namespace Overlay.Metadata.Protocol;

/// <summary>
/// A program's connection to its agent. Lives inside programs that know nothing of it: raw system calls, no thread, no
/// signal (SIGPIPE), no descriptor that survives exec. Calls wait for their answer, one at a time;
/// every failure is an <see cref="ErrnoException"/>: ETIMEDOUT after <see cref="TimeoutMilliseconds"/>, ECONNRESET or
/// EPIPE when the agent is gone, EPROTO when it talks nonsense. The messages: <see cref="AgentMessage"/>.
/// </summary>
public sealed partial class AgentClient : IDisposable
{
    public const int DefaultTimeoutMilliseconds = 30_000;

    /// <summary>A process that does not count.</summary>
    public const int NoCounters = -1;

    private readonly Lock _oneCallAtATime = new();
    // Requests and replies go through it; replies hold keys, so it is wiped after each call.
    private readonly SecretMemory _buffer;
    private int _descriptor;
    private uint _lastRequest;
    private int _lent = -1;
    private int _agentProcessId;
    private ushort _version;

    private AgentClient(int descriptor, int timeoutMilliseconds)
    {
        _descriptor = descriptor;
        TimeoutMilliseconds = timeoutMilliseconds;
        _buffer = new SecretMemory(AgentMessage.MaxPacket);
    }

    /// <summary>The socket. Ours: close-on-exec, and not to be closed by the program.</summary>
    public int Descriptor => _descriptor;

    public int TimeoutMilliseconds { get; }

    /// <summary>Connects and agrees on the protocol. EPERM: the agent does not serve this process.</summary>
    public static AgentClient Connect(string socketPath, int timeoutMilliseconds = DefaultTimeoutMilliseconds)
    {
        int descriptor = ClientSocket.Connect(socketPath, timeoutMilliseconds);
        AgentClient client = new(descriptor, timeoutMilliseconds);
        try
        {
            client.SayHello();
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>
    /// In a forked child: a connection of its own, in place of the one it shares with its parent. Uses nothing of
    /// <paramref name="inherited"/> but its descriptor (its lock may be held by a thread that the child does not have) and,
    /// when all went well, disposes of it in this process. Nothing is awaited from the agent.
    /// </summary>
    /// <param name="slot">Where it counts in the table that the inherited connection shared, or <see cref="NoCounters"/>.</param>
    public static AgentClient Adopt(AgentClient inherited, int slot = NoCounters)
    {
        ArgumentNullException.ThrowIfNull(inherited);
        int descriptor = ClientSocket.MakePairOver(inherited._descriptor, inherited.TimeoutMilliseconds, slot);
        AgentClient client = new(descriptor, inherited.TimeoutMilliseconds) { _agentProcessId = inherited._agentProcessId, _version = inherited._version };
        inherited.Dispose();
        return client;
    }

    /// <summary>
    /// Moves the socket to the number <paramref name="newDescriptor"/>, replacing whatever is open there, out of the
    /// program's way.
    /// </summary>
    public void MoveDescriptor(int newDescriptor)
    {
        lock (_oneCallAtATime)
        {
            if (newDescriptor == _descriptor)
                return;
            if (FileCalls.Duplicate(_descriptor, newDescriptor, FileCalls.CloseOnExec) < 0)
                throw Errno.Failure("moving the agent's connection");
            _ = FileCalls.Close(_descriptor);
            _descriptor = newDescriptor;
        }
    }

    /// <summary>What the agent grants for the volume at this path. ENOENT: it does not serve it, or there is none.</summary>
    public unsafe VolumeGrant Attach(string volumeRoot)
    {
        ArgumentNullException.ThrowIfNull(volumeRoot);
        FileStatus status;
        if (FileCalls.Stat(FileCalls.CurrentDirectory, volumeRoot, 0, FileCalls.StatBasic, &status) < 0)
            throw Errno.Failure($"looking up {volumeRoot}");
        lock (_oneCallAtATime)
        {
            PacketWriter request = Begin(AgentMessage.Attach);
            request.UInt64(status.Device);
            request.UInt64(status.Inode);
            if (!request.TryText(volumeRoot))
                throw Errno.Failure(Errno.NameTooLong, "attaching a volume");
            PacketReader reply = Call(request, out int failure);
            if (failure != 0)
                throw Errno.Failure(failure, $"attaching {volumeRoot}");
            byte[] volumeId = reply.Bytes(AgentMessage.VolumeIdSize).ToArray();
            CipherSuite suite = (CipherSuite)reply.Byte();
            bool compress = reply.Byte() != 0;
            int blockSizeLog2 = reply.Byte();
            bool seesCiphertext = reply.Byte() == AgentMessage.ViewCiphertext;
            Expect(reply.IsComplete);
            return new VolumeGrant(volumeId, suite, compress, blockSizeLog2, seesCiphertext);
        }
    }

    /// <summary>Closes this process's descriptor. Takes no lock: it must work in a forked child.</summary>
    public void Dispose()
    {
        PacketSocket.CloseIfOpen(ref _lent);
        PacketSocket.CloseIfOpen(ref _descriptor);
        _buffer.Dispose();
    }

    private void SayHello()
    {
        PacketWriter hello = new(_buffer.Bytes, AgentMessage.Hello, 0, 0);
        hello.UInt32(AgentMessage.Magic);
        hello.UInt16(AgentMessage.OldestVersion);
        hello.UInt16(AgentMessage.Version);
        // An agent that refuses us may have answered and hung up before we spoke.
        int sent = PacketSocket.Send(_descriptor, _buffer.Bytes[..hello.Length], 0);
        if (sent is not (0 or Errno.BrokenPipe))
            throw Errno.Failure(sent, "greeting the agent");
        PacketReader reply = Await(AgentMessage.Hello, 0, out int failure);
        if (failure != 0)
            throw Errno.Failure(failure, "the agent refuses this process");
        _version = reply.UInt16();
        Expect(_version is >= AgentMessage.OldestVersion and <= AgentMessage.Version);
        _ = reply.UInt16();
        _agentProcessId = (int)reply.UInt32();
        Expect(reply.IsComplete);
    }

    private PacketWriter Begin(ushort kind) => new(_buffer.Bytes, kind, 0, ++_lastRequest);

    private PacketReader Call(PacketWriter request, out int failure, int descriptor = -1)
    {
        ushort kind = new PacketReader(_buffer.Bytes[..request.Length]).Kind;
        if (descriptor >= 0)
            ClientSocket.SendWithDescriptor(_descriptor, _buffer.Bytes[..request.Length], descriptor);
        else
            ClientSocket.Send(_descriptor, _buffer.Bytes[..request.Length]);
        return Await(kind, _lastRequest, out failure);
    }

    private PacketReader Await(ushort kind, uint request, out int failure)
    {
        long deadline = Environment.TickCount64 + TimeoutMilliseconds;
        while (true)
        {
            PacketSocket.CloseIfOpen(ref _lent);
            PacketReader reply = Read(ClientSocket.Receive(_descriptor, _buffer.Bytes, deadline, out _lent));
            if (reply.Request != request)
            {
                // Or it is the late answer to a call that gave up waiting.
                TakeIfMore(reply);
                continue;
            }
            Expect(reply.Kind == (kind | AgentMessage.ReplyBit));
            failure = reply.Status;
            return reply;
        }
    }

    private PacketReader Read(int length)
    {
        Expect(length >= AgentMessage.HeaderSize);
        return new PacketReader(_buffer.Bytes[..length]);
    }

    private static void CheckIds(ReadOnlySpan<byte> volumeId, ReadOnlySpan<byte> fileId)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(volumeId.Length, AgentMessage.VolumeIdSize);
        ArgumentOutOfRangeException.ThrowIfNotEqual(fileId.Length, AgentMessage.FileIdSize);
    }

    private static void Expect(bool sound)
    {
        if (!sound)
            throw Errno.Failure(Errno.Protocol, "the agent's answer makes no sense");
    }
}
