using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Tests.Protocol;
using Overlay.Metadata.Tests.Support;
using Xunit;

namespace Overlay.Metadata.Tests.Agent;

/// <summary>Whatever comes in, the next client is served.</summary>
public sealed class HostileClientTests : IDisposable
{
    private readonly TestVolume _volume = new();
    private readonly RunningAgent _agent;

    public HostileClientTests() => _agent = new RunningAgent(_volume);

    public void Dispose()
    {
        using (var client = _agent.Connect())
            Assert.Equal(_volume.Config.VolumeId, client.Attach(_volume.Root).VolumeId);
        _agent.Dispose();
        _volume.Dispose();
    }

    public static TheoryData<string, byte[]> Malformed => new()
    {
        { "one byte", [1] },
        { "unknown kind", [99, 0, 0, 0, 1, 0, 0, 0] },
        { "reply", [2, 0x80, 0, 0, 1, 0, 0, 0] },
        { "status in a request", [7, 0, 1, 0, 1, 0, 0, 0] },
        { "second hello", [1, 0, 0, 0, 0, 0, 0, 0, (byte)'O', (byte)'V', (byte)'L', (byte)'A', 1, 0, 1, 0] },
        { "bytes behind the fields", [7, 0, 0, 0, 1, 0, 0, 0, 0] },
        { "get key cut short", [3, 0, 0, 0, 1, 0, 0, 0, .. new byte[31]] },
        { "more keys cut short", [32, 0, 0, 0, 1, 0, 0, 0, .. new byte[17]] },
        { "more keys with bytes behind them", [32, 0, 0, 0, 1, 0, 0, 0, .. new byte[19]] },
        { "note cut short", [5, 0, 0, 0, 1, 0, 0, 0, .. new byte[33]] },
        { "text longer than the packet", [2, 0, 0, 0, 1, 0, 0, 0, .. new byte[16], 9, 0, 65] },
        { "text longer than texts are", [2, 0, 0, 0, 1, 0, 0, 0, .. new byte[16], 0, 0x18, .. new byte[0x1800]] },
        { "adopt without a descriptor", [6, 0, 0, 0, 1, 0, 0, 0] },
        { "too large", new byte[AgentMessage.MaxPacket + 1] },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void Connection_is_closed_and_logged_when_a_packet_is(string what, byte[] packet)
    {
        using var peer = RawPeer.Connect(_agent.SocketPath);
        peer.Greet();
        Assert.True(peer.TrySend(packet), what);
        Assert.Empty(peer.Receive());
        Assert.Contains(_agent.Log, line => line.StartsWith("closed a connection", StringComparison.Ordinal));
    }

    [Fact]
    public void Nothing_is_answered_before_hello()
    {
        using var peer = RawPeer.Connect(_agent.SocketPath);
        Assert.True(peer.TrySend([7, 0, 0, 0, 1, 0, 0, 0]));
        Assert.Empty(peer.Receive());
    }

    [Theory]
    [InlineData("OVLA", 4, 9)]
    [InlineData("OVLA", 2, 1)]
    [InlineData("OVLA", 0, 0)]
    [InlineData("HTTP", 1, 1)]
    public void Hello_of_another_protocol_is_answered_with_an_error(string magic, byte lowest, byte highest)
    {
        using var peer = RawPeer.Connect(_agent.SocketPath);
        peer.TrySend([1, 0, 0, 0, 0, 0, 0, 0, .. magic.Select(c => (byte)c), lowest, 0, highest, 0]);
        Assert.Equal([1, 0x80, Errno.Protocol, 0, 0, 0, 0, 0], peer.Receive());
        peer.TrySend([7, 0, 0, 0, 1, 0, 0, 0]);
        Assert.Empty(peer.Receive());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(129)]
    public void Keys_are_not_handed_out_by_an_unreasonable_number(byte count)
    {
        using var peer = RawPeer.Connect(_agent.SocketPath);
        peer.Greet();
        peer.TrySend([4, 0, 0, 0, 5, 0, 0, 0, .. _volume.Config.VolumeId, count, 0]);
        Assert.Equal([4, 0x80, Errno.Invalid, 0, 5, 0, 0, 0], peer.Receive());
    }

    [Fact]
    public void Random_packets_harm_nobody()
    {
        var random = new Random(20240517);
        for (var i = 0; i < 2_000; i++)
        {
            using var peer = RawPeer.Connect(_agent.SocketPath);
            if (random.Next(4) != 0)
                peer.Greet();
            for (var n = random.Next(4); n >= 0; n--)
            {
                var packet = new byte[random.Next(3) == 0 ? random.Next(1, 9000) : random.Next(1, 64)];
                random.NextBytes(packet);
                if (packet.Length >= 8 && random.Next(8) != 0)
                    new byte[] { (byte)random.Next(9), 0, 0, 0 }.CopyTo(packet, 0);
                if (packet.Length >= 26 && random.Next(2) == 0)
                    _volume.Config.VolumeId.CopyTo(packet, 8);
                if (!peer.TrySend(packet))
                    break;
            }
        }
    }

    [Theory]
    [InlineData("stream socket to adopt", SocketCalls.AddressFamilyUnix, 1, 6)]
    [InlineData("datagram socket to adopt", SocketCalls.AddressFamilyUnix, 2, 6)]
    [InlineData("descriptor with a status request", SocketCalls.AddressFamilyUnix, SocketCalls.SequencedPackets, 7)]
    public void Descriptor_that_is_not_wanted_is_closed_and_so_is_the_connection(string what, int family, int type, byte kind)
    {
        var (sent, kept) = SocketPair(family, type);
        using var client = _agent.Connect();
        Assert.Equal(0, PacketSocket.SendWithDescriptor(client.Descriptor, [kind, 0, 0, 0, 9, 0, 0, 0], sent));
        _ = FileCalls.Close(sent);
        Assert.ThrowsAny<ErrnoException>(client.GetStatus);
        // The agent has no copy either: nobody is at the other end.
        Assert.NotEqual(0, PacketSocket.Send(kept, [1], SocketCalls.DoNotWait));
        _ = FileCalls.Close(kept);
        Assert.Contains(_agent.Log, line => line.StartsWith("closed a connection", StringComparison.Ordinal));
        Assert.NotEmpty(what);
    }

    [Fact]
    public void Descriptor_that_is_no_socket_is_not_adopted()
    {
        using var file = File.Open(_volume.KeyFile, FileMode.Open);
        using var client = _agent.Connect();
        var descriptor = (int)file.SafeFileHandle.DangerousGetHandle();
        Assert.Equal(0, PacketSocket.SendWithDescriptor(client.Descriptor, [6, 0, 0, 0, 9, 0, 0, 0], descriptor));
        Assert.ThrowsAny<ErrnoException>(client.GetStatus);
    }

    private static unsafe (int First, int Second) SocketPair(int family, int type)
    {
        var pair = stackalloc int[2];
        Assert.Equal(0, SocketCalls.SocketPair(family, type | SocketCalls.CloseOnExec, 0, pair));
        return (pair[0], pair[1]);
    }

    [Fact]
    public void Client_that_fetches_no_replies_is_dropped_and_others_are_served()
    {
        using var deaf = RawPeer.Connect(_agent.SocketPath);
        deaf.Greet();
        byte[] request = [4, 0, 0, 0, 1, 0, 0, 0, .. _volume.Config.VolumeId, 1, 0];
        var sent = 0;
        while (sent < 100_000 && deaf.TrySend(request))
            sent++;
        Assert.True(sent < 100_000, "the agent queued without end");
        using var client = _agent.Connect();
        Assert.Equal(1, client.TakeNewKeys(_volume.Config.VolumeId, 1, new GrantedKey[1]));
    }

    [Fact]
    public void Note_of_a_file_that_nobody_knows_is_harmless()
    {
        using var agent = new RunningAgent(_volume, _volume.At("second.sock"));
        using var client = agent.Connect();
        client.NoteCreated(_volume.Config.VolumeId, [(new byte[16], "x")]);
        client.NoteCreated(new byte[16], [(new byte[16], "x")]);
        client.NoteCreated(_volume.Config.VolumeId, [(new byte[16], new string('x', 10_000))]);
        Assert.Equal(1, client.GetStatus().Connections);
        agent.Stop();
        Assert.Equal(0, _volume.Sql("SELECT count(*) FROM file WHERE state = 2"));
    }

    [Fact]
    public void Crowd_of_clients_is_served()
    {
        var clients = new List<AgentClient>();
        for (var i = 0; i < 300; i++)
            clients.Add(_agent.Connect());
        Assert.All(clients, client => Assert.Equal(300, client.GetStatus().Connections));
        clients.ForEach(client => client.Dispose());
    }
}
