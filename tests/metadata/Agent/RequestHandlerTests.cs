using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Tests.Support;
using Xunit;

namespace Overlay.Metadata.Tests.Agent;

public class RequestHandlerTests
{
    [Fact]
    public void Keys_are_refused_when_there_is_no_room_for_them_and_come_again_when_there_is()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using var pool = new KeyPool(unlocked);
        var log = new List<string>();
        var handler = new RequestHandler([pool], null, new LogLimiter(log.Add), () => 1);
        var connection = unlocked.Store.Connection;
        connection.Execute("PRAGMA max_page_count = 1");

        Assert.Equal(Errno.NoSpace, TakeOne(handler, volume));
        Assert.Equal(0, pool.Count);
        Assert.Single(log, line => line.Contains("no room", StringComparison.Ordinal));
        Assert.Equal(0, volume.Sql("SELECT count(*) FROM file"));

        connection.Execute("PRAGMA max_page_count = 100000");
        Assert.Equal(0, TakeOne(handler, volume));
    }

    [Fact]
    public void Keys_are_refused_when_another_process_keeps_the_store()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using var other = volume.Unlock();
        using var pool = new KeyPool(unlocked);
        var handler = new RequestHandler([pool], null, new LogLimiter(_ => { }), () => 1);
        unlocked.Store.Connection.Execute("PRAGMA busy_timeout = 10");
        other.Store.Connection.Execute("BEGIN IMMEDIATE");
        Assert.Equal(Errno.Busy, TakeOne(handler, volume));
    }

    [Fact]
    public void Client_that_only_takes_is_stopped_at_last()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using var pool = new KeyPool(unlocked);
        var handler = new RequestHandler([pool], null, new LogLimiter(_ => { }), () => 1);
        using var client = new Connection(-1, 1, 1, isGreeted: true) { KeysTaken = KeyAnswers.MaxKeysPerConnection };
        Assert.Equal(Errno.QuotaExceeded, TakeOne(handler, volume, client));
    }

    [Fact]
    public void States_of_a_packet_that_is_cut_short_are_refused()
    {
        using var volume = new TestVolume();
        using var unlocked = volume.Unlock();
        using var pool = new KeyPool(unlocked);
        var handler = new RequestHandler([pool], null, new LogLimiter(_ => { }), () => 1);
        using var anyone = new Connection(-1, 1, 1, isGreeted: true);
        byte[] packet = [10, 0, 0, 0, 1, 0, 0, 0, .. volume.Config.VolumeId, 1, 0, 0, 0, 2, 0, .. new byte[16], 1, 0, 0, 0, 0, 0, 0, 0, .. new byte[5]];
        int received = -1;
        Assert.False(handler.TryHandle(anyone, packet, ref received, new byte[AgentMessage.MaxPacket], out int length, out _));
        Assert.Equal(0, length);
    }

    private static int TakeOne(RequestHandler handler, TestVolume volume, Connection? client = null)
    {
        using var anyone = new Connection(-1, 1, 1, isGreeted: true);
        var reply = new byte[AgentMessage.MaxPacket];
        byte[] request = [4, 0, 0, 0, 1, 0, 0, 0, .. volume.Config.VolumeId, 1, 0];
        var received = -1;
        Assert.True(handler.TryHandle(client ?? anyone, request, ref received, reply, out var length, out _));
        var status = BinaryPrimitives.ReadUInt16LittleEndian(reply.AsSpan(2));
        Assert.Equal(status == 0 ? 8 + 2 + 48 : 8, length);
        return status;
    }
}
