using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Agent;

/// <summary>
/// The agent: one thread, one poll loop, one packet of each ready client in turn. Whatever a client sends, at worst its own
/// connection is closed and a line logged. Answers come before upkeep: the pool is refilled, and what clients noted is
/// written, when nobody in this round waits for a reply.
/// </summary>
public sealed class AgentServer : IDisposable
{
    private const int MaxAcceptsPerRound = 16;
    private const int MaxConnections = 4096, DescriptorsForOurselves = 64;
    private const int GreetingMilliseconds = 10_000;
    private const int RetryMilliseconds = 1_000;
    private const int LongestDrainRounds = 10_000;

    /// <summary>Bytes that libc keeps: it would give pages back after each statement of SQLite's, and get them anew for the next.</summary>
    private const int KeptMemory = 1 << 20;

    private readonly List<KeyPool> _pools;
    private readonly List<Connection> _connections = [];
    private readonly AgentListener _listener;
    private readonly PeerCheck _peers;
    private readonly RequestHandler _handler;
    private readonly ProcessWatch _watch;
    private readonly PageRegistry? _pages;
    private readonly AgentUpkeep _upkeep;
    private readonly LogLimiter _provoked;
    private readonly SecretMemory _request = new(AgentMessage.MaxPacket);
    private readonly SecretMemory _reply = new(AgentMessage.MaxPacket);
    private readonly int _maxConnections = ConnectionLimit();
    private PollEntry[] _polled = new PollEntry[64];

    /// <summary>What is waited for now: our own socket, then the doors that the pages have opened up to here.</summary>
    private AgentListener[] _listeners = [];
    private long _noAcceptBefore;
    private bool _hasLostClients;

    /// <summary>Listens when this returns. The volumes stay the caller's, to be used by nobody else until disposal.</summary>
    /// <param name="volumes">What it serves.</param>
    /// <param name="socketPath">In a directory of this user alone (<see cref="AgentAddress"/>).</param>
    /// <param name="rootPid">Descendants of this process are served even as other users, and the socket is made reachable
    /// for them; 0: only processes of this user.</param>
    /// <param name="log">Takes one line; never a secret.</param>
    /// <param name="sealer">Seals what programs changed in shared mappings; null: this agent keeps no pages.</param>
    /// <param name="rekeyer">Replaces keys that have sealed <paramref name="mostSeals"/> times; null: nobody does.</param>
    /// <exception cref="ErrnoException">EADDRINUSE: an agent serves this path already.</exception>
    public AgentServer(IReadOnlyList<UnlockedVolume> volumes, string socketPath, int rootPid, Action<string> log, IPageSealer? sealer = null,
        IFileRekeyer? rekeyer = null, long mostSeals = long.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(volumes);
        ArgumentNullException.ThrowIfNull(log);
        _provoked = new LogLimiter(log);
        _pools = volumes.Select(volume => new KeyPool(volume) { MostSeals = rekeyer is null ? long.MaxValue : mostSeals }).ToList();
        _peers = new PeerCheck(rootPid);
        _pages = sealer is null ? null : new PageRegistry(sealer, socketPath, _provoked.Write);
        _watch = new ProcessWatch(_connections);
        _handler = new RequestHandler(_pools, _pages, _provoked, () => _connections.Count, Metrics, _watch);
        _upkeep = new AgentUpkeep(_pools, _handler.Audits, rekeyer is null ? null : new WornKeys(rekeyer, log), Metrics, log);
        _listener = new AgentListener(socketPath, reachableByOthers: rootPid > 0);
    }

    public AgentMetrics Metrics { get; } = new();

    /// <summary>How many are open; any thread may ask.</summary>
    public int Connections => _connections.Count;

    /// <summary>
    /// Serves until <paramref name="stopDescriptor"/> is readable or closed at its other end; then takes what clients have
    /// sent already and brings the store up to date.
    /// </summary>
    public void Run(int stopDescriptor)
    {
        _ = MemoryCalls.SetAllocator(MemoryCalls.TrimThreshold, KeptMemory);
        while (Wait(stopDescriptor))
        {
            ServeReady();
            CloseSilent();
            _pages?.KeepUp(_hasLostClients);
            _hasLostClients = false;
            _upkeep.KeepUp();
        }
        Drain();
        _upkeep.EndRecords();
        _pages?.Dispose();
        _upkeep.EndPools();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _connections.ForEach(connection => connection.Dispose());
        _connections.Clear();
        _handler.Dispose();
        _pools.ForEach(pool => pool.Dispose());
        _request.Dispose();
        _reply.Dispose();
    }

    /// <returns>False: stop.</returns>
    private unsafe bool Wait(int stopDescriptor)
    {
        if (_listeners.Length != 1 + (_pages?.Doors.Count ?? 0))
            _listeners = [_listener, .. _pages?.Doors ?? []];
        int first = FirstConnection, count = _connections.Count + first;
        if (_polled.Length < count)
            _polled = new PollEntry[count * 2];
        bool mayAccept = Environment.TickCount64 >= _noAcceptBefore;
        _polled[0] = new PollEntry { Descriptor = stopDescriptor, Wanted = PollEntry.Readable };
        for (int i = 1; i < first; i++)
            _polled[i] = new PollEntry { Descriptor = mayAccept ? _listeners[i - 1].Descriptor : -1, Wanted = PollEntry.Readable };
        for (int i = first; i < count; i++)
            _polled[i] = new PollEntry { Descriptor = _connections[i - first].Descriptor, Wanted = PollEntry.Readable };
        fixed (PollEntry* entries = _polled)
        {
            int ready = SocketCalls.Poll(entries, (nuint)count, WaitMilliseconds(mayAccept));
            if (ready < 0 && Errno.Last != Errno.Interrupted)
                throw Errno.Failure("waiting for clients");
            if (ready <= 0)
                _polled.AsSpan(0, count).Clear();
        }
        return _polled[0].Ready == 0;
    }

    /// <summary>Its place in what was polled: behind the stop descriptor and the listeners.</summary>
    private int FirstConnection => 1 + _listeners.Length;

    private int WaitMilliseconds(bool mayAccept)
    {
        long now = Environment.TickCount64;
        long until = _upkeep.DueAt(now);
        if (!mayAccept)
            until = Math.Min(until, _noAcceptBefore);
        if (_pages is { WaitMilliseconds: >= 0 })
            until = Math.Min(until, now + _pages.WaitMilliseconds);
        if (_connections.Exists(connection => !connection.IsGreeted))
            until = Math.Min(until, now + RetryMilliseconds);
        return until == long.MaxValue ? -1 : (int)Math.Clamp(until - now, 0, int.MaxValue);
    }

    private void ServeReady()
    {
        // Backwards, since a connection may be removed; what is accepted or adopted meanwhile is added behind.
        for (int i = _connections.Count - 1; i >= 0; i--)
        {
            if (_polled[i + FirstConnection].Ready != 0 && !TryServe(_connections[i]))
                Close(i);
        }
        for (int i = 1; i < FirstConnection; i++)
        {
            if (_polled[i].Ready != 0)
                AcceptSome(_listeners[i - 1]);
        }
    }

    /// <returns>False: the connection is over.</returns>
    private bool TryServe(Connection client)
    {
        int length = PacketSocket.Receive(client.Descriptor, _request.Bytes, out int received);
        try
        {
            if (length == -Errno.TryAgain)
                return true;
            if (length is 0 or -Errno.ConnectionReset)
                return false;
            if (length >= AgentMessage.HeaderSize && TryAnswer(client, _request.Bytes[..length], ref received))
                return true;
            Metrics.CountBroken();
            _provoked.Write($"closed a connection of process {client.ProcessId} (user {client.UserId}): " +
                (length < 0 ? $"errno {-length}" : "it does not keep to the protocol"));
            return false;
        }
        finally
        {
            PacketSocket.CloseIfOpen(ref received);
        }
    }

    private bool TryAnswer(Connection client, ReadOnlySpan<byte> packet, ref int received)
    {
        if (new PacketReader(packet).Kind == AgentMessage.Adopt)
            return TryAdopt(client, packet, ref received);
        if (!_handler.TryHandle(client, packet, ref received, _reply.Bytes, out int replyLength, out int lent))
            return false;
        // Before the client goes on: it is the client's own description, whose locks (flock) would outlive the client's close.
        PacketSocket.CloseIfOpen(ref received);
        if (replyLength == 0)
            return true;
        Span<byte> reply = _reply.Bytes[..replyLength];
        // A client that does not fetch its replies is not waited for.
        int error = lent >= 0
            ? PacketSocket.SendWithDescriptor(client.Descriptor, reply, lent, SocketCalls.DoNotWait)
            : PacketSocket.Send(client.Descriptor, reply, SocketCalls.DoNotWait);
        PacketSocket.CloseIfOpen(ref lent);
        Secret.Wipe(reply);
        return error is 0 or Errno.BrokenPipe or Errno.ConnectionReset;
    }

    private bool TryAdopt(Connection client, ReadOnlySpan<byte> packet, ref int received)
    {
        PacketReader request = new(packet);
        int slot = packet.Length > AgentMessage.HeaderSize ? request.UInt16() : AgentClient.NoCounters;
        bool sound = client.IsGreeted && request.IsComplete && received >= 0
            && HasOption(received, SocketCalls.OptionDomain, SocketCalls.AddressFamilyUnix)
            && HasOption(received, SocketCalls.OptionType, SocketCalls.SequencedPackets)
            && PeerCheck.TryIdentify(received, out _);
        if (!sound)
            return false;
        _ = PeerCheck.TryIdentify(received, out PeerCredentials child);
        if (_connections.Count >= _maxConnections)
        {
            Metrics.CountTurnedAway();
            _provoked.Write($"turned a child of process {client.ProcessId} away: {_connections.Count} connections are open");
            return true;
        }
        // It came over a connection that is allowed, from somebody who could as well have passed that one on.
        Connection adopted = new(received, child.ProcessId, child.UserId, isGreeted: true)
        {
            GroupId = child.GroupId, Peer = new PeerProcess(received, child), Version = client.Version,
        };
        received = -1;
        _connections.Add(adopted);
        Metrics.CountAccepted();
        return slot == AgentClient.NoCounters || ProcessWatch.TryInherit(client, adopted, slot);
    }

    private void AcceptSome(AgentListener listener)
    {
        for (int i = 0; i < MaxAcceptsPerRound; i++)
        {
            int accepted = listener.Accept();
            if (accepted >= 0)
            {
                Admit(accepted);
                continue;
            }
            if (accepted is -Errno.TryAgain)
                return;
            if (accepted is -Errno.Interrupted or -Errno.ConnectionAborted)
                continue;
            // Out of descriptors or memory: those who wait stay in the backlog for a while.
            _provoked.Write($"cannot accept a connection: errno {-accepted}");
            _noAcceptBefore = Environment.TickCount64 + RetryMilliseconds;
            return;
        }
    }

    private void Admit(int accepted)
    {
        bool known = PeerCheck.TryIdentify(accepted, out PeerCredentials peer);
        if (!known || !_peers.IsAllowed(peer))
        {
            Metrics.CountRefused();
            _provoked.Write($"refused process {peer.ProcessId} of user {peer.UserId}");
            _handler.NoteRefused(peer, "not allowed to ask this agent");
            Refuse(accepted, Errno.NotPermitted);
        }
        else if (_connections.Count >= _maxConnections)
        {
            Metrics.CountTurnedAway();
            _provoked.Write($"turned process {peer.ProcessId} away: {_connections.Count} connections are open");
            _handler.NoteRefused(peer, "the agent has too many connections");
            Refuse(accepted, Errno.TooManyUsers);
        }
        else
        {
            _connections.Add(new Connection(accepted, peer.ProcessId, peer.UserId, isGreeted: false) { GroupId = peer.GroupId, Peer = new PeerProcess(accepted, peer) });
            Metrics.CountAccepted();
        }
    }

    private void Refuse(int accepted, int error)
    {
        PacketWriter refusal = new(_reply.Bytes, AgentMessage.Hello | AgentMessage.ReplyBit, (ushort)error, 0);
        _ = PacketSocket.Send(accepted, _reply.Bytes[..refusal.Length], SocketCalls.DoNotWait);
        // A hello left unread would reset the connection instead of closing it.
        _ = PacketSocket.Receive(accepted, _request.Bytes, out int received);
        PacketSocket.CloseIfOpen(ref received);
        PacketSocket.CloseIfOpen(ref accepted);
    }

    private void CloseSilent()
    {
        long now = Environment.TickCount64;
        for (int i = _connections.Count - 1; i >= 0; i--)
        {
            Connection client = _connections[i];
            if (client.IsGreeted || now - client.Since < GreetingMilliseconds)
                continue;
            Metrics.CountBroken();
            _provoked.Write($"closed a connection of process {client.ProcessId} (user {client.UserId}): it says nothing");
            Close(i);
        }
    }

    private void Close(int index)
    {
        _watch.End(_connections[index]);
        _connections[index].Dispose();
        _connections.RemoveAt(index);
        _hasLostClients = true;
    }

    /// <summary>What was sent before the end counts: programs do not wait for their notes to be taken.</summary>
    private void Drain()
    {
        for (int round = 0; round < LongestDrainRounds && _connections.Count > 0; round++)
        {
            bool idle = true;
            for (int i = _connections.Count - 1; i >= 0; i--)
            {
                int length = PacketSocket.Receive(_connections[i].Descriptor, _request.Bytes, out int received);
                idle &= length <= 0;
                if (length >= AgentMessage.HeaderSize)
                    _ = TryAnswer(_connections[i], _request.Bytes[..length], ref received);
                PacketSocket.CloseIfOpen(ref received);
            }
            if (idle)
                return;
        }
    }

    private static unsafe bool HasOption(int socket, int option, int wanted)
    {
        int value;
        uint length = sizeof(int);
        return SocketCalls.GetOption(socket, SocketCalls.SocketLevel, option, &value, &length) == 0 && value == wanted;
    }

    private static unsafe int ConnectionLimit()
    {
        ResourceLimit limit;
        if (ProcessCalls.GetLimit(ProcessCalls.OpenFilesLimit, &limit) < 0)
            throw Errno.Failure("reading the limit of open files");
        long room = (long)Math.Min(limit.Soft, int.MaxValue) - DescriptorsForOurselves;
        return (int)Math.Clamp(room, 16, MaxConnections);
    }
}
