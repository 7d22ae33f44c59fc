using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Store;
using Overlay.Metadata.Tests.Protocol;
using Overlay.Metadata.Tests.Support;
using Overlay.Metadata.Volumes;
using Xunit;

namespace Overlay.Metadata.Tests.Agent;

public class AgentServerTests
{
    [Fact]
    public void Client_gets_what_it_needs_to_make_and_read_files()
    {
        using var volume = new TestVolume(new VolumeOptions { Suite = CipherSuite.XChaCha20Poly1305, BlockSizeLog2 = 12 });
        using var agent = new RunningAgent(volume);
        using var client = agent.Connect();

        var grant = client.Attach(volume.Root);
        Assert.Equal(volume.Config.VolumeId, grant.VolumeId);
        Assert.Equal((CipherSuite.XChaCha20Poly1305, true, 12), (grant.Suite, grant.Compress, grant.BlockSizeLog2));

        var keys = new GrantedKey[8];
        Assert.Equal(8, client.TakeNewKeys(grant.VolumeId, 8, keys));
        var key = new byte[32];
        foreach (var granted in keys)
        {
            Assert.True(client.TryGetKey(grant.VolumeId, granted.FileId, key));
            Assert.Equal(granted.Key, key);
        }
        client.NoteCreated(grant.VolumeId, [(keys[0].FileId, "a/ü")]);

        Assert.False(client.TryGetKey(grant.VolumeId, new byte[16], key));
        Assert.False(client.TryGetKey(new byte[16], keys[0].FileId, key));
        var status = client.GetStatus();
        Assert.Equal(Environment.ProcessId, status.ProcessId);
        Assert.Equal((8, 8, 1), (status.KeysFound, status.KeysHandedOut, status.Connections));
        Assert.Equal(volume.Root, Assert.Single(status.Volumes).Root);

        agent.Stop();
        using var unlocked = volume.Unlock();
        var row = unlocked.Store.TryFindFile(keys[0].FileId)!;
        Assert.Equal((FileState.Live, "a/ü"), (row.State, row.Path));
        Assert.Equal(7, unlocked.Store.CountFiles(FileState.Handed));
        Assert.Equal(0, unlocked.Store.CountFiles(FileState.Pool));
        Assert.False(File.Exists(agent.SocketPath));
        Assert.False(File.Exists(agent.SocketPath + ".lock"));
    }

    [Fact]
    public void Keys_for_new_files_come_with_what_is_derived_of_them_as_many_as_fit()
    {
        using var volume = new TestVolume();
        using var agent = new RunningAgent(volume);
        using var client = agent.Connect();
        var keys = new GrantedKey[AgentMessage.MaxKeysPerRequest];
        var count = client.TakeNewKeys(volume.Config.VolumeId, keys.Length, keys);
        Assert.InRange(count, 64, AgentMessage.MaxPacket / 80);
        var derived = new byte[DataKey.DerivedSize];
        foreach (var granted in keys.AsSpan(0, count))
        {
            DataKey.Derive(granted.Key, derived);
            Assert.Equal(derived, granted.Derived);
            using var given = DataKey.Import(CipherSuite.Aes256Gcm, granted.Key, granted.Derived);
            using var known = DataKey.Import(CipherSuite.Aes256Gcm, granted.Key);
            Assert.Equal(known.KeyCheck, given.KeyCheck);
            Assert.Equal(known.Mark(5, derived), given.Mark(5, derived));
        }
        keys[0].Wipe();
        Assert.Equal(new byte[DataKey.DerivedSize], keys[0].Derived);
    }

    /// <summary>Programs that were started before their agent was upgraded go on.</summary>
    [Fact]
    public void Client_of_the_first_version_gets_keys_as_it_knows_them()
    {
        using var volume = new TestVolume();
        using var agent = new RunningAgent(volume);
        using var peer = RawPeer.Connect(agent.SocketPath);
        peer.Greet();
        peer.TrySend([4, 0, 0, 0, 1, 0, 0, 0, .. volume.Config.VolumeId, 3, 0]);
        var reply = peer.Receive();
        Assert.Equal([4, 0x80, 0, 0, 1, 0, 0, 0, 3, 0], reply[..10]);
        Assert.Equal(8 + 2 + 3 * 48, reply.Length);
    }

    /// <summary>Whoever reads one file of many soon reads those that were made with it; what was never made, or is not to be had, stays out.</summary>
    [Fact]
    public void Keys_of_files_made_about_the_same_time_come_along()
    {
        using var volume = new TestVolume();
        var keys = new GrantedKey[40];
        using (var agent = new RunningAgent(volume))
        using (var client = agent.Connect())
        {
            var taken = 0;
            while (taken < keys.Length)
                taken += client.TakeNewKeys(volume.Config.VolumeId, keys.Length - taken, keys.AsSpan(taken));
            // The last five are handed out, but no file was made with them.
            client.NoteCreated(volume.Config.VolumeId, [.. keys[..35].Select((key, i) => (key.FileId, $"d/{i}"))]);
            agent.Stop();
        }
        using var again = new RunningAgent(volume);
        using var reader = again.Connect();
        foreach (var most in new[] { 1, 2, 16, 64 })
        {
            var found = new List<(string Id, string Key)>();
            Assert.True(reader.TryGetKeys(volume.Config.VolumeId, keys[10].FileId, most,
                (id, key) => found.Add((Convert.ToHexString(id), Convert.ToHexString(key)))));
            Assert.Equal(Convert.ToHexString(keys[10].FileId), found[0].Id);
            var known = keys[..35].ToDictionary(key => Convert.ToHexString(key.FileId), key => Convert.ToHexString(key.Key));
            Assert.All(found, one => Assert.Equal(known[one.Id], one.Key));
            Assert.Equal(found.Count, found.Select(one => one.Id).Distinct().Count());
            Assert.InRange(found.Count, Math.Min(most, 16), most);
            // The next ones rather than those before.
            if (most >= 16)
                Assert.Contains(found, one => one.Id == Convert.ToHexString(keys[11].FileId));
        }
        Assert.False(reader.TryGetKeys(volume.Config.VolumeId, new byte[16], 8, (_, _) => Assert.Fail("a key of no file")));
    }

    /// <summary>As git status does after git clone; the store knows of none of them yet.</summary>
    [Fact]
    public void Keys_of_files_that_were_made_just_now_come_along()
    {
        using var volume = new TestVolume();
        using var agent = new RunningAgent(volume);
        using var maker = agent.Connect();
        using var reader = agent.Connect();
        var keys = new GrantedKey[20];
        for (var taken = 0; taken < keys.Length;)
            taken += maker.TakeNewKeys(volume.Config.VolumeId, keys.Length - taken, keys.AsSpan(taken));
        maker.NoteCreated(volume.Config.VolumeId, [.. keys[..16].Select((key, i) => (key.FileId, $"d/{i}"))]);
        Assert.NotEqual(0, maker.GetStatus().ProcessId); // and so the note has arrived
        var found = new List<string>();
        Assert.True(reader.TryGetKeys(volume.Config.VolumeId, keys[3].FileId, 128, (id, _) => found.Add(Convert.ToHexString(id))));
        Assert.Equal(keys[..16].Select(key => Convert.ToHexString(key.FileId)).Order(), found.Order());
    }

    /// <summary>In the order in which they were made, a connection of its own for each reader.</summary>
    [Fact]
    public void More_keys_are_those_that_follow()
    {
        using var volume = new TestVolume();
        var made = MakeFiles(volume, 200);
        using var agent = new RunningAgent(volume);
        using var reader = agent.Connect();
        var found = new List<string>();
        Assert.False(reader.TakeMore(out _));
        // Nobody knows yet where this one is.
        Assert.Empty(AskForMore(reader, volume, 32));
        Assert.True(reader.TryGetKeys(volume.Config.VolumeId, Convert.FromHexString(made[16].Id), 16, (id, key) => found.Add(Convert.ToHexString(id))));
        while (AskForMore(reader, volume, 32) is { Count: > 0 } more)
        {
            Assert.InRange(more.Count, 1, 32);
            Assert.All(more, one => Assert.Contains(one, made));
            found.AddRange(more.Select(one => one.Id));
        }
        Assert.Equal(found.Count, found.Distinct().Count());
        Assert.Superset(made[16..].Select(one => one.Id).ToHashSet(), found.ToHashSet());
        Assert.Empty(AskForMore(reader, volume, 32));

        // The other way round, from the end.
        using var backwards = agent.Connect();
        foreach (var last in new[] { 199, 183 })
            Assert.True(backwards.TryGetKeys(volume.Config.VolumeId, Convert.FromHexString(made[last].Id), 16, (_, _) => { }));
        var before = AskForMore(backwards, volume, 16);
        Assert.Equal(16, before.Count);
        Assert.All(before, one => Assert.InRange(made.IndexOf(one), 150, 183));
    }

    [Fact]
    public void Answer_that_was_asked_for_ahead_comes_with_the_next_call()
    {
        using var volume = new TestVolume();
        var made = MakeFiles(volume, 64);
        using var agent = new RunningAgent(volume);
        using var reader = agent.Connect();
        Assert.True(reader.TryGetKeys(volume.Config.VolumeId, Convert.FromHexString(made[0].Id), 16, (_, _) => { }));
        var came = new List<string>();
        for (var answer = 0; answer < 2; answer++)
            reader.AskForMore(volume.Config.VolumeId, 16, (id, _) => came.Add(Convert.ToHexString(id)));
        Assert.Empty(came);
        Assert.Equal(2, reader.MoreUnderWay);
        Assert.NotEqual(0, reader.GetStatus().ProcessId);
        Assert.Equal(made[16..48].Select(one => one.Id), came);
        Assert.False(reader.TakeMore(out _));
        // One of them is taken, the other one is still there.
        for (var answer = 0; answer < 2; answer++)
            reader.AskForMore(volume.Config.VolumeId, 8, (_, _) => came.Clear());
        Assert.True(reader.TakeMore(out _));
        Assert.Equal(1, reader.MoreUnderWay);
        Assert.Empty(came);
    }

    /// <summary>What a parent asked for is not its child's to read.</summary>
    [Fact]
    public void Answer_that_was_asked_for_ahead_does_not_come_to_an_adopted_connection()
    {
        using var volume = new TestVolume();
        var made = MakeFiles(volume, 64);
        using var agent = new RunningAgent(volume);
        var parent = agent.Connect();
        Assert.True(parent.TryGetKeys(volume.Config.VolumeId, Convert.FromHexString(made[0].Id), 16, (_, _) => { }));
        parent.AskForMore(volume.Config.VolumeId, 16, (_, _) => Assert.Fail("the parent is gone"));
        using var child = AgentClient.Adopt(parent);
        Assert.False(child.TakeMore(out _));
        Assert.True(child.TryGetKey(volume.Config.VolumeId, Convert.FromHexString(made[40].Id), new byte[32]));
        Assert.Empty(AskForMore(child, volume, 16));
    }

    /// <summary>Ids and keys, in the order in which files were made with them.</summary>
    private static List<(string Id, string Key)> MakeFiles(TestVolume volume, int count)
    {
        var keys = new GrantedKey[count];
        using var agent = new RunningAgent(volume);
        using var client = agent.Connect();
        // One refill: the order of its keys is the order of the files.
        Wait.Until(() => client.GetStatus().Volumes[0].PooledKeys >= count);
        for (var taken = 0; taken < count;)
            taken += client.TakeNewKeys(volume.Config.VolumeId, Math.Min(count - taken, 100), keys.AsSpan(taken));
        client.NoteCreated(volume.Config.VolumeId, [.. keys.Select((key, i) => (key.FileId, $"d/{i}"))]);
        return [.. keys.Select(key => (Convert.ToHexString(key.FileId), Convert.ToHexString(key.Key)))];
    }

    private static List<(string Id, string Key)> AskForMore(AgentClient client, TestVolume volume, int most)
    {
        var found = new List<(string, string)>();
        client.AskForMore(volume.Config.VolumeId, most, (id, key) => found.Add((Convert.ToHexString(id), Convert.ToHexString(key))));
        Assert.True(client.TakeMore(out _));
        return found;
    }

    [Fact]
    public void Attach_knows_the_volume_by_any_path_and_no_other_directory()
    {
        using var volume = new TestVolume();
        using var agent = new RunningAgent(volume);
        using var client = agent.Connect();
        Directory.CreateSymbolicLink(volume.At("link"), volume.Root);
        Assert.Equal(volume.Config.VolumeId, client.Attach(volume.At("link")).VolumeId);
        Assert.Equal(volume.Config.VolumeId, client.Attach(volume.Root + "/../vault/").VolumeId);
        Assert.Equal(Errno.NoEntry, Assert.Throws<ErrnoException>(() => client.Attach(volume.At("."))).Errno);
        Assert.Equal(Errno.NoEntry, Assert.Throws<ErrnoException>(() => client.Attach(volume.At("none"))).Errno);
    }

    [Fact]
    public void Socket_is_private_and_so_must_its_directory_be()
    {
        using var volume = new TestVolume();
        using (var agent = new RunningAgent(volume))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(agent.SocketPath));
        Directory.CreateDirectory(volume.At("open"));
        File.SetUnixFileMode(volume.At("open"), (UnixFileMode)0x1FF);
        Assert.Equal(Errno.NotPermitted,
            Assert.Throws<ErrnoException>(() => new RunningAgent(volume, volume.At("open/agent.sock"))).Errno);
    }

    [Fact]
    public void Second_agent_is_refused_while_the_first_lives_and_replaces_it_when_dead()
    {
        using var volume = new TestVolume();
        var child = ChildProcess.StartSelf("serve", volume.Root, volume.KeyFile, volume.SocketPath);
        Assert.Equal("ready", child.StandardOutput.ReadLine());
        Assert.Equal(Errno.AddressInUse, Assert.Throws<ErrnoException>(() => new RunningAgent(volume)).Errno);
        AgentClient.Connect(volume.SocketPath).Dispose();
        child.Kill();
        Assert.Equal(ChildProcess.Killed, ChildProcess.Finish(child).Status);
        Assert.True(File.Exists(volume.SocketPath));
        using var agent = new RunningAgent(volume);
        agent.Connect().Dispose();
    }

    [Fact]
    public void Two_agents_on_one_store_hand_out_different_keys()
    {
        using var volume = new TestVolume();
        using var first = new RunningAgent(volume);
        using var second = new RunningAgent(volume, volume.At("second.sock"));
        var seen = new HashSet<string>();
        var threads = new[] { first, second }.SelectMany(agent => Enumerable.Range(0, 2).Select(_ => new Thread(() =>
        {
            using var client = agent.Connect();
            var keys = new GrantedKey[128];
            for (var i = 0; i < 20; i++)
            {
                var count = client.TakeNewKeys(volume.Config.VolumeId, keys.Length, keys);
                lock (seen)
                {
                    foreach (var granted in keys.AsSpan(0, count))
                    {
                        Assert.True(seen.Add(Convert.ToHexString(granted.FileId)));
                        Assert.True(seen.Add(Convert.ToHexString(granted.Key)));
                    }
                }
            }
        }))).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.True(seen.Count > 2 * 4 * 20);

        // What one made, the other finds.
        using var client = second.Connect();
        var one = new GrantedKey[1];
        using (var other = first.Connect())
            Assert.Equal(1, other.TakeNewKeys(volume.Config.VolumeId, 1, one));
        Assert.True(client.TryGetKey(volume.Config.VolumeId, one[0].FileId, new byte[32]));
    }

    [Fact]
    public void Notes_reach_the_store_without_a_stop()
    {
        using var volume = new TestVolume();
        using var agent = new RunningAgent(volume);
        using (var client = agent.Connect())
        {
            var keys = new GrantedKey[1];
            client.TakeNewKeys(volume.Config.VolumeId, 1, keys);
            client.NoteCreated(volume.Config.VolumeId, [(keys[0].FileId, "x")]);
        }
        Wait.Until(() => volume.Sql("SELECT count(*) FROM file WHERE path = 'x'") == 1);
    }

    [Fact]
    public void Pool_is_filled_before_anybody_asks()
    {
        using var volume = new TestVolume();
        using var agent = new RunningAgent(volume);
        Wait.Until(() => volume.Sql("SELECT count(*) FROM file") >= 256);
        Assert.Equal(256, volume.Sql("SELECT count(*) FROM file WHERE state = 0"));
    }

    [Fact]
    public void Connection_that_was_adopted_works_beside_the_one_it_came_by()
    {
        using var volume = new TestVolume();
        using var agent = new RunningAgent(volume);
        using var witness = agent.Connect();
        using var child = AgentClient.Adopt(agent.Connect());
        using var grandchild = AgentClient.Adopt(AgentClient.Adopt(agent.Connect()));
        Assert.Equal(volume.Config.VolumeId, grandchild.Attach(volume.Root).VolumeId);
        Assert.Equal(volume.Config.VolumeId, child.Attach(volume.Root).VolumeId);
        Assert.Equal(Environment.ProcessId, child.GetStatus().ProcessId);
        // The connections they came by are closed, and noticed to be.
        Wait.Until(() => witness.GetStatus().Connections == 3);
    }

    [Fact]
    public void Forked_children_get_connections_of_their_own()
    {
        using var volume = new TestVolume();
        using var agent = new RunningAgent(volume);
        var client = ChildProcess.CompileClient(Path.GetDirectoryName(volume.SocketPath)!);
        var (status, output, errors) = ChildProcess.Run(client, agent.SocketPath, "fork", volume.Root);
        Assert.True(status == 0, errors + string.Join('\n', agent.Log));
        Assert.Equal("same key\n", output);
        Assert.Empty(agent.Log);
    }

    [Fact]
    public void Foreign_user_is_refused_unless_it_descends_from_the_root_process()
    {
        if (ProcessCalls.EffectiveUserId() != 0)
        {
            Console.WriteLine("skipped: only root can become another user");
            return;
        }
        using var volume = new TestVolume();
        var directory = Path.GetDirectoryName(volume.SocketPath)!;
        var client = ChildProcess.CompileClient(directory);
        // The agent opens the way for others only when it has a root process.
        using (var agent = new RunningAgent(volume, rootPid: Environment.ProcessId))
        {
            Assert.Equal((0, "status 0\n", ""), ChildProcess.Run(client, agent.SocketPath, "hello", "65534"));
        }
        using var stranger = ChildProcess.Start("sleep", ["60"]);
        try
        {
            using var agent = new RunningAgent(volume, rootPid: stranger.Id);
            Assert.Equal((0, "status 1\n", ""), ChildProcess.Run(client, agent.SocketPath, "hello", "65534"));
            Assert.Contains(agent.Log, line => line.Contains("refused process", StringComparison.Ordinal)
                && line.EndsWith("of user 65534", StringComparison.Ordinal));
            agent.Connect().Dispose();
        }
        finally
        {
            stranger.Kill();
        }
    }

    [Theory]
    [InlineData(107)]
    [InlineData(108)]
    [InlineData(300)]
    public void Socket_path_may_have_any_length(int length)
    {
        using var volume = new TestVolume();
        var directory = volume.At("") + "/";
        while (length - directory.Length > 100)
            directory = Directory.CreateDirectory(Path.Combine(directory, new string('d', 80))).FullName + "/";
        File.SetUnixFileMode(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var name = length - directory.Length;
        if (name > 80)
        {
            directory = Directory.CreateDirectory(Path.Combine(directory, "dd")).FullName + "/";
            File.SetUnixFileMode(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            name -= 3;
        }
        var path = directory + new string('s', name);
        Assert.Equal(length, path.Length);
        using var agent = new RunningAgent(volume, path);
        using var client = agent.Connect();
        Assert.Equal(volume.Config.VolumeId, client.Attach(volume.Root).VolumeId);
    }

    [Fact]
    public void Damaged_row_is_an_error_for_the_one_who_asks_and_a_line_in_the_log()
    {
        using var volume = new TestVolume();
        using var agent = new RunningAgent(volume);
        using var client = agent.Connect();
        var keys = new GrantedKey[2];
        client.TakeNewKeys(volume.Config.VolumeId, 2, keys);
        var id = Convert.ToHexStringLower(keys[0].FileId);
        volume.Sql($"UPDATE file SET wrapped_key = zeroblob(length(wrapped_key)) WHERE file_id = x'{id}'");
        Assert.Equal(Errno.InputOutput, Assert.Throws<ErrnoException>(
            () => client.TryGetKey(volume.Config.VolumeId, keys[0].FileId, new byte[32])).Errno);
        Assert.Contains(agent.Log, line => line.Contains(id, StringComparison.Ordinal));
        Assert.True(client.TryGetKey(volume.Config.VolumeId, keys[1].FileId, new byte[32]));
    }
}
