using System.Linq;
using Overlay.Crypto;
using Overlay.Metadata.Policy;
using Xunit;

namespace Overlay.Metadata.Tests.Policy;

public class PolicyParserTests
{
    private const string Digest = "ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef0123456789";

    [Fact]
    public void Document_is_read_as_it_is_written()
    {
        var policy = Parse($"# who may\n\ndefault deny   # unless\r\nallow path \"a b/**\" user alice user 7\n  group staff\n\texe /bin/* sha256 {Digest}\nstore path ** cipher aegis-256 compression none block-size 64K\n");
        Assert.Equal(PolicyAction.Deny, policy.Default);
        var rule = Assert.Single(policy.Rules);
        Assert.Equal(4, rule.Line);
        Assert.Equal([1001u, 7u], rule.Users);
        Assert.Equal([50u], rule.Groups);
        Assert.Equal(Digest.ToLowerInvariant(), Assert.Single(rule.Digests));
        Assert.Equal($"allow path \"a b/**\" user alice user 7 group staff exe /bin/* sha256 {Digest}", rule.Text);
        var store = Assert.Single(policy.Storage);
        Assert.Equal((CipherSuite.Aegis256, false, 16), (store.Suite!.Value, store.Compress!.Value, store.BlockSizeLog2!.Value));
    }

    [Fact]
    public void Text_of_a_rule_reads_as_the_same_rule()
    {
        var rule = Assert.Single(Parse("deny path \"a \\\"b\\\\*\" path \"#\"").Rules);
        Assert.Equal(["a \"b\\*", "#"], rule.Paths.Select(path => path.Text));
        Assert.Equal(rule.Paths.Select(path => path.Text), Assert.Single(Parse(rule.Text).Rules).Paths.Select(path => path.Text));
    }

    [Fact]
    public void Empty_document_allows_everything()
    {
        var policy = Parse("# nothing\n");
        Assert.True(policy.SaysNothing);
        Assert.Equal(PolicyAction.Allow, policy.Default);
    }

    [Theory]
    [InlineData("allow\nforbid path x", 2, "\"forbid\"")]
    [InlineData("default maybe", 1, "default")]
    [InlineData("default ciphertext", 1, "default")]
    [InlineData("default deny\ndefault deny", 2, "twice")]
    [InlineData("\n  allow", 2, "none above")]
    [InlineData("allow path", 1, "nothing follows")]
    [InlineData("allow path /x", 1, "relative")]
    [InlineData("allow path x/", 1, "x/**")]
    [InlineData("allow path [", 1, "[ without ]")]
    [InlineData("allow exe cat", 1, "absolute")]
    [InlineData("allow user bob", 1, "\"bob\"")]
    [InlineData("allow group bob", 1, "\"bob\"")]
    [InlineData("allow user 4294967296", 1, "4294967296")]
    [InlineData("allow sha256 12", 1, "64")]
    [InlineData("allow colour red", 1, "\"colour\"")]
    [InlineData("allow path \"x", 1, "other one")]
    [InlineData("allow path \"x\"y", 1, "directly behind")]
    [InlineData("ciphertext", 1, "needs")]
    [InlineData("ciphertext exe /bin/tar path x", 1, "whole volume")]
    [InlineData("store cipher aegis-256", 1, "path")]
    [InlineData("store path x", 1, "needs cipher")]
    [InlineData("store path x cipher rot13", 1, "rot13")]
    [InlineData("store path x compression zip", 1, "zip")]
    [InlineData("store path x block-size 5000", 1, "5000")]
    [InlineData("store path x block-size 2M", 1, "2M")]
    [InlineData("store path x block-size 2047M", 1, "2047M")]
    [InlineData("store path x speed 9", 1, "\"speed\"")]
    public void Error_names_line_and_cause(string text, int line, string cause)
    {
        Assert.Null(PolicyParser.TryParse(text, new FixedAccounts(), out var errors));
        Assert.Equal(line, errors[0].Line);
        Assert.Contains(cause, errors[0].Message, System.StringComparison.Ordinal);
    }

    [Fact]
    public void All_errors_are_told_but_not_endlessly()
    {
        Assert.Null(PolicyParser.TryParse(string.Concat(Enumerable.Repeat("x\n", 100)), new FixedAccounts(), out var errors));
        Assert.Equal(Enumerable.Range(1, 20), errors.Select(error => error.Line));
    }

    [Fact]
    public void Document_that_is_too_long_is_refused()
    {
        Assert.Null(PolicyParser.TryParse(new string('#', PolicyParser.MostCharacters + 1), new FixedAccounts(), out _));
        Assert.Null(PolicyParser.TryParse(string.Concat(Enumerable.Repeat("deny\n", PolicyParser.MostStatements + 1)), new FixedAccounts(), out _));
    }

    internal static PolicyDocument Parse(string text)
    {
        var policy = PolicyParser.TryParse(text, new FixedAccounts(), out var errors);
        Assert.Empty(errors);
        return policy!;
    }
}
