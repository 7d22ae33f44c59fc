using System;
using System.IO;
using System.Linq;
using Overlay.Crypto;
using Overlay.Metadata.Audit;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Tests.Support;
using Xunit;

namespace Overlay.Metadata.Tests.Audit;

[Collection("audit")]
public sealed class AgentAuditTests : IDisposable
{
    private readonly TestVolume _volume = new();

    public AgentAuditTests() => Switch(isOn: true);

    public void Dispose() => _volume.Dispose();

    [Fact]
    public void Grants_are_recorded_within_a_second_with_who_and_which()
    {
        using var agent = new RunningAgent(_volume);
        using var client = AgentClient.Connect(_volume.SocketPath);
        var keys = new GrantedKey[3];
        client.TakeNewKeys(_volume.Config.VolumeId, 3, keys);
        client.NoteCreated(_volume.Config.VolumeId, [(keys[0].FileId, "d/file")]);
        Assert.True(client.TryGetKey(_volume.Config.VolumeId, keys[0].FileId, new byte[32]));
        var events = WaitFor(3);
        Assert.Equal(["new-keys", "created", "grant"], events.Select(record => record.Event));
        Assert.Equal(3, events[0].Files);
        Assert.Equal("d/file", events[1].Path);
        Assert.Equal(Convert.ToHexStringLower(keys[0].FileId), events[2].File);
        Assert.All(events, record => Assert.Equal((Environment.ProcessId, Environment.ProcessPath), (record.ProcessId, record.Executable)));
    }

    [Fact]
    public void Denial_is_in_the_log_when_it_is_answered_and_repetitions_are_counted()
    {
        using var agent = new RunningAgent(_volume);
        using var client = AgentClient.Connect(_volume.SocketPath);
        var missing = new byte[16];
        missing[3] = 7;
        Assert.False(client.TryGetKey(_volume.Config.VolumeId, missing, new byte[32]));
        var denied = Assert.Single(Recorded());
        Assert.Equal(("denied", "no such key", Convert.ToHexStringLower(missing)), (denied.Event, denied.Result, denied.File));
        for (var i = 0; i < 50; i++)
            Assert.False(client.TryGetKey(_volume.Config.VolumeId, missing, new byte[32]));
        Assert.Equal(51, WaitFor(2).Sum(record => record.Count));
    }

    [Fact]
    public void Neighbours_keys_come_only_while_the_log_is_off()
    {
        using var agent = new RunningAgent(_volume);
        using var client = AgentClient.Connect(_volume.SocketPath);
        var keys = new GrantedKey[8];
        client.TakeNewKeys(_volume.Config.VolumeId, 8, keys);
        client.NoteCreated(_volume.Config.VolumeId, keys.Select((key, i) => (key.FileId, $"{i}")).ToArray());
        Wait.Until(() => Recorded().Any(record => record.Path == "7"));
        Assert.Equal(1, Ask(client, keys[4].FileId));
        Switch(isOn: false);
        Wait.Until(() => Ask(client, keys[4].FileId) > 1);
        // Nor are those that are asked for ahead.
        Switch(isOn: true);
        Wait.Until(() => Ask(client, keys[4].FileId) == 1);
        client.AskForMore(_volume.Config.VolumeId, 8, (_, _) => Assert.Fail("nobody recorded this one"));
        Assert.True(client.TakeMore(out _));
    }

    [Fact]
    public void No_keys_are_given_while_the_log_cannot_be_written()
    {
        using var agent = new RunningAgent(_volume);
        using var client = AgentClient.Connect(_volume.SocketPath);
        var keys = new GrantedKey[1];
        client.TakeNewKeys(_volume.Config.VolumeId, 1, keys);
        WaitFor(1);
        var path = AuditFiles.PathOf(AuditFiles.DirectoryOf(_volume.StorePath), 1);
        var whole = File.ReadAllBytes(path);
        File.WriteAllBytes(path, whole[..^200]);
        // This one is only found out when it is to be written.
        var grants = 0;
        Wait.Until(() => !IsGiven(client, keys[0].FileId, ref grants));
        Assert.Equal(5, Assert.Throws<ErrnoException>(() => client.TryGetKey(_volume.Config.VolumeId, keys[0].FileId, new byte[32])).Errno);
        Assert.Equal(5, Assert.Throws<ErrnoException>(() => client.TakeNewKeys(_volume.Config.VolumeId, 1, keys)).Errno);
        File.WriteAllBytes(path, whole);
        Assert.True(IsGiven(client, keys[0].FileId, ref grants));
        Assert.InRange(grants, 2, int.MaxValue);
        Wait.Until(() => Recorded().Skip(1).Sum(record => record.Count) == grants);
        Assert.All(Recorded().Skip(1), record => Assert.Equal("grant", record.Event));
    }

    [Fact]
    public void What_waits_is_written_when_the_agent_ends()
    {
        using (var agent = new RunningAgent(_volume))
        {
            using var client = AgentClient.Connect(_volume.SocketPath);
            client.TakeNewKeys(_volume.Config.VolumeId, 1, new GrantedKey[1]);
        }
        Assert.Equal("new-keys", Assert.Single(Recorded()).Event);
    }

    private bool IsGiven(AgentClient client, byte[] fileId, ref int grants)
    {
        try
        {
            Assert.True(client.TryGetKey(_volume.Config.VolumeId, fileId, new byte[32]));
            grants++;
            return true;
        }
        catch (ErrnoException)
        {
            return false;
        }
    }

    private int Ask(AgentClient client, byte[] fileId)
    {
        var count = 0;
        Assert.True(client.TryGetKeys(_volume.Config.VolumeId, fileId, 8, (_, _) => count++));
        return count;
    }

    private void Switch(bool isOn)
    {
        using var unlocked = _volume.Unlock();
        var who = new AuditSubject(0, 0, 1, "");
        if (isOn)
            AuditSwitch.Enable(unlocked, who, acceptsLoss: false);
        else
            AuditSwitch.Disable(unlocked, who);
    }

    private AuditRecord[] Recorded() => [.. AuditReader.ReadAll(_volume.StorePath).Where(record => record.Event != "log")];

    private AuditRecord[] WaitFor(int count)
    {
        Wait.Until(() => Recorded().Length >= count);
        return Recorded();
    }
}
