using System;
using System.Diagnostics;
using System.IO;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Tests.Support;
using Xunit;

namespace Overlay.Metadata.Tests.Protocol;

/// <summary>The client against an agent that the test plays.</summary>
public sealed class AgentClientTests : IDisposable
{
    private static readonly byte[] s_id = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
    private static readonly byte[] s_welcome = [1, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 128, 0, 77, 0, 0, 0];

    private readonly TestDirectory _directory = new();
    private readonly Socket _listener = RawPeer.NewSocket();

    public AgentClientTests()
    {
        _listener.Bind(new UnixDomainSocketEndPoint(Address));
        _listener.Listen(5);
    }

    private string Address => _directory.At("agent.sock");

    public void Dispose()
    {
        _listener.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Connect_times_out_when_the_agent_says_nothing()
    {
        var watch = Stopwatch.StartNew();
        var failure = Assert.Throws<ErrnoException>(() => AgentClient.Connect(Address, 200));
        Assert.Equal(Errno.TimedOut, failure.Errno);
        Assert.InRange(watch.ElapsedMilliseconds, 150, 5_000);
    }

    [Fact]
    public void Connect_fails_when_there_is_no_agent()
    {
        Assert.Equal(Errno.NoEntry, ConnectFailure(_directory.At("none")));
        Assert.Equal(Errno.ConnectionRefused, ConnectFailure(_directory.KeyFile()));
    }

    [Fact]
    public void Connect_gives_the_agents_reason_when_it_refuses_and_hangs_up_at_once()
    {
        // Whether the hello comes before or behind the refusal is a matter of luck; both must do.
        for (var i = 0; i < 50; i++)
        {
            var agent = new Thread(() =>
            {
                using var peer = RawPeer.Accept(_listener);
                peer.TrySend([1, 0x80, Errno.NotPermitted, 0, 0, 0, 0, 0]);
            });
            agent.Start();
            Assert.Equal(Errno.NotPermitted, ConnectFailure(Address));
            agent.Join();
        }
    }

    /// <summary>One that was started before its program was upgraded.</summary>
    [Fact]
    public void Agent_of_the_first_version_gives_keys_without_what_is_derived_of_them()
    {
        var (client, agent) = Pair();
        using (client)
        using (agent)
        {
            var answering = new Thread(() =>
            {
                var request = agent.Receive();
                agent.TrySend([4, 0x80, 0, 0, .. request[4..8], 1, 0, .. s_id, .. new byte[32]]);
            });
            answering.Start();
            var keys = new GrantedKey[1];
            Assert.Equal(1, client.TakeNewKeys(s_id, 1, keys));
            answering.Join();
            Assert.Equal(s_id, keys[0].FileId);
            Assert.Equal(new byte[32], keys[0].Key);
            Assert.True(keys[0].Derived.IsEmpty);
        }
    }

    [Fact]
    public void Call_fails_when_the_agent_dies()
    {
        var (client, agent) = Pair();
        using (client)
        {
            agent.Dispose();
            var failure = Assert.Throws<ErrnoException>(() => client.TryGetKey(s_id, s_id, new byte[32]));
            Assert.Contains(failure.Errno, new[] { Errno.BrokenPipe, Errno.ConnectionReset });
        }
    }

    [Fact]
    public void Late_answer_is_not_taken_for_the_next_one()
    {
        var (client, agent) = Pair(timeoutMilliseconds: 2_000);
        using (client)
        using (agent)
        {
            Assert.Equal(Errno.TimedOut,
                Assert.Throws<ErrnoException>(() => client.TryGetKey(s_id, s_id, new byte[32])).Errno);
            agent.TrySend(KeyReply(request: 1, fill: 0xAA));
            agent.TrySend(KeyReply(request: 2, fill: 0xBB));
            var key = new byte[32];
            Assert.True(client.TryGetKey(s_id, s_id, key));
            Assert.Equal(0xBB, key[0]);
        }
    }

    [Fact]
    public void Nonsense_for_an_answer_is_an_error()
    {
        byte[][] answers =
        [
            [3, 0x80, 0, 0, 1, 0, 0, 0],
            [4, 0x80, 0, 0, 1, 0, 0, 0, 1],
            [.. KeyReply(1, 0xAA), 0],
            [1, 2, 3, 4, 1, 0, 0],
        ];
        foreach (var answer in answers)
        {
            var (client, agent) = Pair(timeoutMilliseconds: 2_000);
            using (client)
            using (agent)
            {
                agent.TrySend(answer);
                var failure = Assert.Throws<ErrnoException>(() => client.TryGetKey(s_id, s_id, new byte[32]));
                Assert.Contains(failure.Errno, new[] { Errno.Protocol, Errno.TimedOut });
            }
        }
    }

    [Fact]
    public void Agent_that_grants_more_keys_than_asked_for_is_not_believed()
    {
        var (client, agent) = Pair();
        using (client)
        using (agent)
        {
            agent.TrySend([4, 0x80, 0, 0, 1, 0, 0, 0, 2, 0, .. new byte[96]]);
            Assert.Equal(Errno.Protocol,
                Assert.Throws<ErrnoException>(() => client.TakeNewKeys(s_id, 1, new GrantedKey[4])).Errno);
        }
    }

    [Fact]
    public void Descriptor_is_closed_on_exec_where_it_is_moved_to()
    {
        var (client, agent) = Pair();
        using (client)
        using (agent)
        {
            AssertClosedOnExec(client.Descriptor);
            var before = client.Descriptor;
            client.MoveDescriptor(900);
            Assert.Equal(900, client.Descriptor);
            AssertClosedOnExec(900);
            Assert.False(File.Exists($"/proc/self/fdinfo/{before}") && SameSocket(before, 900));
            agent.TrySend(KeyReply(request: 1, fill: 0xCC));
            Assert.True(client.TryGetKey(s_id, s_id, new byte[32]));
        }
    }

    [Fact]
    public void Connection_that_is_handed_over_does_not_say_hello()
    {
        var (client, agent) = Pair();
        using (agent)
        {
            using var own = AgentClient.Adopt(client);
            Assert.Equal(-1, client.Descriptor);
            AssertClosedOnExec(own.Descriptor);
            Assert.Equal([6, 0, 0, 0, 0, 0, 0, 0], agent.Receive());
            client.Dispose();
        }
    }

    private static bool SameSocket(int a, int b) => Link(a) == Link(b);

    private static string? Link(int descriptor) => new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget;

    private static void AssertClosedOnExec(int descriptor)
    {
        foreach (var line in File.ReadLines($"/proc/self/fdinfo/{descriptor}"))
        {
            if (line.StartsWith("flags:", StringComparison.Ordinal))
                Assert.NotEqual(0, Convert.ToInt32(line[6..].Trim(), 8) & FileCalls.CloseOnExec);
        }
    }

    private static byte[] KeyReply(byte request, byte fill)
    {
        var key = new byte[32];
        Array.Fill(key, fill);
        byte[] reply = [3, 0x80, 0, 0, request, 0, 0, 0, 1, 0, .. s_id, .. key];
        return reply;
    }

    private static int ConnectFailure(string path) =>
        Assert.Throws<ErrnoException>(() => AgentClient.Connect(path, 10_000)).Errno;

    private (AgentClient Client, RawPeer Agent) Pair(int timeoutMilliseconds = 10_000)
    {
        // A thread of its own: the pool's may all be waiting in other tests.
        var accepting = Task.Factory.StartNew(() =>
        {
            var peer = RawPeer.Accept(_listener);
            peer.Receive();
            peer.TrySend(s_welcome);
            return peer;
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var client = AgentClient.Connect(Address, timeoutMilliseconds);
        return (client, accepting.Result);
    }
}
