using System;
using System.IO;
using System.Linq;
using Overlay.Crypto;
using Overlay.Metadata.Audit;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Policy;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Store;
using Overlay.Metadata.Tests.Support;
using Xunit;

namespace Overlay.Metadata.Tests.Agent;

public sealed class AgentPolicyTests : IDisposable
{
    private readonly TestVolume _volume = new();

    private byte[] Id => _volume.Config.VolumeId;

    [Fact]
    public void Policy_takes_effect_with_the_next_question_and_denies_by_the_path_that_the_agent_sees()
    {
        using var agent = new RunningAgent(_volume);
        using var client = agent.Connect();
        var open = Make(client, "open/a");
        var secret = Make(client, "secret/a");
        Assert.True(client.TryGetKey(Id, secret, new byte[32]));
        Set("deny path secret/** user " + Environment.UserName);
        Assert.Equal(Errno.DestinationRequired, Failure(() => client.TryGetKey(Id, secret, new byte[32])));
        Assert.Equal(1, Ask(client, open, "open/a"));
        Assert.Equal(Errno.KeyRejected, Failure(() => Ask(client, secret, "secret/a")));
        Assert.True(client.HasKey(Id, secret));
        var line = Assert.Single(agent.Log, line => line.Contains("refused", StringComparison.Ordinal));
        Assert.Contains("secret/a of ", line, StringComparison.Ordinal);
        Assert.Contains(Environment.ProcessPath!, line, StringComparison.Ordinal);
        Assert.Contains("line 1: deny path secret/**", line, StringComparison.Ordinal);
        Set("# nothing");
        Assert.True(client.TryGetKey(Id, secret, new byte[32]));
    }

    [Fact]
    public void Keys_of_other_files_come_along_only_where_the_program_may_have_everything()
    {
        using var agent = new RunningAgent(_volume);
        using var client = agent.Connect();
        var ids = Enumerable.Range(0, 8).Select(i => Make(client, $"open/{i}")).ToArray();
        using (var unlocked = _volume.Unlock())
            Wait.Until(() => unlocked.Store.CountFiles(FileState.Live) == 8);
        Assert.InRange(Ask(client, ids[4], "open/4"), 2, 8);
        Set("deny path secret/** user 4242");
        Assert.InRange(Ask(client, ids[4], "open/4"), 2, 8);
        Set($"deny path secret/** user {ProcessCalls.EffectiveUserId()}");
        Assert.Equal(1, Ask(client, ids[4], "open/4"));
    }

    [Fact]
    public void Descriptor_of_another_file_is_no_way_around()
    {
        using var agent = new RunningAgent(_volume);
        using var client = agent.Connect();
        Make(client, "open/a");
        var secret = Make(client, "secret/a");
        Set("deny path secret/**");
        Assert.Equal(Errno.KeyRejected, Failure(() => Ask(client, secret, "open/a")));
        // Nor is a copy of the ciphertext, a link, or a new name: it was made elsewhere.
        File.Copy(At("secret/a"), At("open/copy"));
        Assert.Equal(Errno.KeyRejected, Failure(() => Ask(client, secret, "open/copy")));
        File.Move(At("secret/a"), At("open/moved"));
        Assert.Equal(Errno.KeyRejected, Failure(() => Ask(client, secret, "open/moved")));
        // Nor a word of the client's on where it was made.
        client.NoteCreated(Id, [(secret, "open/moved")]);
        System.Threading.Thread.Sleep(500);
        Assert.Equal(Errno.KeyRejected, Failure(() => Ask(client, secret, "open/moved")));
    }

    [Fact]
    public void New_file_gets_a_key_where_it_may_be_made_and_the_settings_of_its_place()
    {
        using var agent = new RunningAgent(_volume);
        using var client = agent.Connect();
        Set("deny path secret/**\nstore path **.db cipher aegis-256 compression none block-size 4K");
        Assert.Equal(Errno.DestinationRequired, Failure(() => client.TakeNewKeys(Id, 1, new GrantedKey[1])));
        Assert.Equal(Errno.KeyRejected, Failure(() => Take(client, "secret/a", out _)));
        var granted = Take(client, "open/a.db", out var settings);
        Assert.Equal(new FileSettings(CipherSuite.Aegis256, false, 12), settings);
        Take(client, "open/b", out settings);
        Assert.Equal(new FileSettings(CipherSuite.Aes256Gcm, true, 14), settings);
        client.NoteCreated(Id, [(granted.FileId, "said/by/the/client")]);
        agent.Stop();
        using var unlocked = _volume.Unlock();
        var row = unlocked.Store.TryFindFile(granted.FileId)!;
        Assert.Equal(("open/a.db", CipherSuite.Aegis256, 12), (row.Path, row.Suite, row.BlockSizeLog2));
    }

    [Fact]
    public void Pages_are_content()
    {
        using var agent = new RunningAgent(_volume);
        using var client = agent.Connect();
        var secret = Make(client, "secret/a");
        Set("deny path secret/**");
        using var file = File.OpenRead(At("secret/a"));
        var descriptor = (int)file.SafeFileHandle.DangerousGetHandle();
        // This agent keeps no pages at all (ENODEV), which it says only to who may have them.
        Assert.Equal(-Errno.KeyRejected, client.OpenPages(Id, secret, PageUse.Map, descriptor, "", out _));
        Set("# nothing");
        Assert.Equal(-Errno.NoDevice, client.OpenPages(Id, secret, PageUse.Map, descriptor, "", out _));
    }

    [Fact]
    public void Program_is_allowed_by_its_hash()
    {
        using var agent = new RunningAgent(_volume);
        using var client = agent.Connect();
        var id = Make(client, "a");
        using var program = File.OpenRead("/proc/self/exe");
        var digest = FileDigest.Sha256(program);
        Set($"default deny\nallow exe {Environment.ProcessPath} sha256 {digest}");
        Assert.Equal(1, Ask(client, id, "a"));
        Set($"default deny\nallow exe {Environment.ProcessPath} sha256 {new string('0', 64)}");
        Assert.Equal(Errno.KeyRejected, Failure(() => Ask(client, id, "a")));
    }

    [Fact]
    public void Rule_that_wants_a_record_gives_nothing_while_the_log_is_off()
    {
        using var agent = new RunningAgent(_volume);
        using var client = agent.Connect();
        var id = Make(client, "a");
        Set("audit path a");
        Assert.Equal(Errno.KeyRejected, Failure(() => Ask(client, id, "a")));
        using (var unlocked = _volume.Unlock())
            AuditSwitch.Enable(unlocked, new AuditSubject(0, 0, 0, ""), acceptsLoss: false);
        Wait.Until(() => IsGiven(client, id, "a")); // the agent looks once a second
    }

    [Theory]
    [InlineData("UPDATE policy SET text = '# nothing'")]
    [InlineData("DELETE FROM policy")]
    [InlineData("DELETE FROM policy; DELETE FROM volume_secret WHERE name = 'policy'")]
    public void Policy_that_was_changed_by_hand_gives_nothing_until_it_is_set_again(string change)
    {
        using var agent = new RunningAgent(_volume);
        using var client = agent.Connect();
        var id = Make(client, "a");
        Set("deny path secret/**");
        Assert.Equal(1, Ask(client, id, "a"));
        _volume.Sql(change);
        Assert.Equal(Errno.InputOutput, Failure(() => Ask(client, id, "a")));
        Assert.Equal(Errno.InputOutput, Failure(() => Take(client, "open/b", out _)));
        Assert.Contains(agent.Log, line => line.Contains("policy", StringComparison.Ordinal) && line.Contains("no keys are given", StringComparison.Ordinal));
        Set("deny path secret/**");
        Set("deny path secret/**");
        Assert.Equal(1, Ask(client, id, "a"));
    }

    [Fact]
    public void Program_that_a_rule_names_sees_ciphertext()
    {
        using var agent = new RunningAgent(_volume);
        using var client = agent.Connect();
        var id = Make(client, "a");
        Assert.False(client.Attach(_volume.Root).SeesCiphertext);
        Set($"ciphertext exe {Environment.ProcessPath}");
        Assert.True(client.Attach(_volume.Root).SeesCiphertext);
        Assert.Equal(Errno.KeyRejected, Failure(() => Ask(client, id, "a")));
        Set("ciphertext exe /bin/other");
        Assert.False(client.Attach(_volume.Root).SeesCiphertext);
    }

    public void Dispose() => _volume.Dispose();

    private string At(string path) => Path.Combine(_volume.Root, path);

    private void Set(string text)
    {
        using var unlocked = _volume.Unlock();
        PolicyStore.Set(unlocked, text, "test");
    }

    [Fact]
    public void Nobody_is_given_ahead_what_he_may_not_ask_for()
    {
        byte[][] made;
        using (var before = new RunningAgent(_volume))
        using (var maker = before.Connect())
            made = [.. Enumerable.Range(0, 8).Select(i => Make(maker, $"open/{i}"))];
        using var agent = new RunningAgent(_volume);
        using var client = agent.Connect();
        var came = 0;
        Assert.True(client.TryGetKeys(Id, made[0], 4, (_, _) => { }));
        client.AskForMore(Id, 2, (_, _) => came++);
        Assert.True(client.TakeMore(out _));
        Assert.InRange(came, 1, 2);
        Set($"deny path secret/** user {ProcessCalls.EffectiveUserId()}");
        client.AskForMore(Id, 4, (_, _) => Assert.Fail("it was not judged"));
        Assert.True(client.TakeMore(out _));
    }

    /// <summary>What an agent knows a file by: as much of a header as it reads.</summary>
    private byte[] Make(AgentClient client, string path)
    {
        var keys = new GrantedKey[1];
        client.TakeNewKeys(Id, 1, keys);
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        Directory.CreateDirectory(At("open"));
        File.WriteAllBytes(At(path), [.. new byte[16], .. keys[0].FileId, .. Id, .. new byte[208]]);
        client.NoteCreated(Id, [(keys[0].FileId, path)]);
        return keys[0].FileId;
    }

    private int Ask(AgentClient client, byte[] fileId, string path)
    {
        using var file = File.OpenRead(At(path));
        var count = 0;
        Assert.True(client.TryGetKeys(Id, fileId, 8, (_, _) => count++, (int)file.SafeFileHandle.DangerousGetHandle()));
        return count;
    }

    private GrantedKey Take(AgentClient client, string path, out FileSettings settings)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        using var file = File.Create(At(path));
        return client.TakeNewKey(Id, (int)file.SafeFileHandle.DangerousGetHandle(), out settings);
    }

    private bool IsGiven(AgentClient client, byte[] id, string path)
    {
        try
        {
            return Ask(client, id, path) == 1;
        }
        catch (ErrnoException e) when (e.Errno == Errno.KeyRejected)
        {
            return false;
        }
    }

    private static int Failure(Action ask) => Assert.Throws<ErrnoException>(ask).Errno;
}
