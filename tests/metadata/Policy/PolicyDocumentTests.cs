using Overlay.Crypto;
using Overlay.Metadata.Policy;
using Xunit;

namespace Overlay.Metadata.Tests.Policy;

public class PolicyDocumentTests
{
    private static readonly string s_digest = new('a', 64);

    [Fact]
    public void First_rule_that_matches_decides()
    {
        var policy = PolicyParserTests.Parse("default deny\nallow path open/** user alice\ndeny path open/x\naudit path open/** group staff");
        Assert.Equal(PolicyAction.Allow, policy.Decide(Of(1001), "open/x").Action);
        Assert.Equal(PolicyAction.Deny, policy.Decide(Of(1002, 50), "open/x").Action);
        Assert.Equal(PolicyAction.Audit, policy.Decide(Of(1002, 7, 50), "open/y").Action);
        Assert.Null(policy.Decide(Of(1002), "open/y").Rule);
        Assert.Equal(PolicyAction.Deny, policy.Decide(Of(1002), "open/y").Action);
    }

    [Fact]
    public void File_that_has_two_paths_gets_the_sterner_decision()
    {
        var policy = PolicyParserTests.Parse("deny path secret/**");
        Assert.Equal("secret/a", policy.Decide(Of(1), ["open/a", "secret/a"]).Path);
        Assert.False(policy.Decide(Of(1), ["secret/a", "open/a"]).GivesKey);
        Assert.True(policy.Decide(Of(1), ["b", "open/a"]).GivesKey);
    }

    [Fact]
    public void Program_is_known_by_path_and_by_hash()
    {
        var policy = PolicyParserTests.Parse($"default deny\nallow exe /bin/cat sha256 {s_digest}");
        Assert.True(policy.Decide(Program("/bin/cat", s_digest), "x").GivesKey);
        Assert.False(policy.Decide(Program("/bin/cat", new string('b', 64)), "x").GivesKey);
        Assert.False(policy.Decide(Program("/tmp/cat", s_digest), "x").GivesKey);
        Assert.False(policy.Decide(Program("/bin/cat", null), "x").GivesKey);
    }

    [Fact]
    public void What_is_not_known_of_a_program_is_held_against_it()
    {
        var gives = PolicyParserTests.Parse("default deny\nallow exe /bin/cat");
        var takes = PolicyParserTests.Parse("deny exe /bin/cat");
        Assert.False(gives.Decide(Program("", null), "x").GivesKey);
        Assert.False(takes.Decide(Program("", null), "x").GivesKey);
        // Only called so, in a name space of its own, or replaced since.
        Assert.False(gives.Decide(Program("/bin/cat", null, isConfirmed: false), "x").GivesKey);
        Assert.False(takes.Decide(Program("/bin/cat", null, isConfirmed: false), "x").GivesKey);
        Assert.True(takes.Decide(Program("/memfd:other", null, isConfirmed: false), "x").GivesKey);
    }

    [Fact]
    public void Hash_is_made_only_where_a_rule_asks_for_it_and_once()
    {
        var asked = 0;
        var subject = new PolicySubject(1, [], "/bin/cat", () => { asked++; return s_digest; });
        PolicyParserTests.Parse("deny exe /bin/dog").Decide(subject, "x");
        Assert.Equal(0, asked);
        var policy = PolicyParserTests.Parse($"deny sha256 {new string('c', 64)}\ndeny sha256 {new string('d', 64)}");
        Assert.True(policy.Decide(subject, "x").GivesKey);
        Assert.Equal(1, asked);
    }

    [Fact]
    public void Program_that_may_have_everything_is_known_to()
    {
        var policy = PolicyParserTests.Parse("deny path x user alice\naudit group staff");
        Assert.False(policy.AllowsEverybody);
        Assert.True(policy.AllowsEverything(Of(1)));
        Assert.False(policy.AllowsEverything(Of(1001)));
        Assert.False(policy.AllowsEverything(Of(1, 50)));
        Assert.False(PolicyParserTests.Parse("default deny\nallow user 1").AllowsEverything(Of(1)));
    }

    [Fact]
    public void Ciphertext_is_for_the_whole_volume_unless_a_rule_before_says_otherwise()
    {
        var policy = PolicyParserTests.Parse("deny path x\nallow user alice exe /bin/tar\nciphertext exe /bin/tar");
        Assert.Equal(3, policy.CiphertextRule(Program("/bin/tar", null))!.Line);
        Assert.Null(policy.CiphertextRule(new PolicySubject(1001, [], "/bin/tar", () => null)));
        Assert.Null(policy.CiphertextRule(Program("/bin/cat", null)));
        Assert.False(policy.Decide(Program("/bin/tar", null), "y").GivesKey);
    }

    [Fact]
    public void Storage_is_said_setting_by_setting()
    {
        var policy = PolicyParserTests.Parse("store path **.jpg compression none\nstore path db/** block-size 4K compression lz4\nstore path ** cipher aegis-256");
        var standard = new FileSettings(CipherSuite.Aes256Gcm, true, 14);
        Assert.Equal(new FileSettings(CipherSuite.Aegis256, false, 12), policy.SettingsFor("db/x.jpg", standard));
        Assert.Equal(new FileSettings(CipherSuite.Aegis256, true, 12), policy.SettingsFor("db/x", standard));
        Assert.Equal(new FileSettings(CipherSuite.Aegis256, true, 14), policy.SettingsFor("x", standard));
    }

    private static PolicySubject Of(uint user, params uint[] groups) => new(user, groups, "/bin/x", () => null);

    private static PolicySubject Program(string path, string? digest, bool isConfirmed = true) => new(1, [], path, () => digest) { IsExecutableConfirmed = isConfirmed };
}
