using System.Collections.Generic;
using System.Linq;
using System.Text;
using Overlay.Metadata.Policy;
using Overlay.Metadata.Tests.Policy;

namespace Overlay.Fuzz;

/// <summary>A policy's text: understood, or named errors; what was understood reads as the same when it is written again, and decides about any path.</summary>
internal sealed class PolicyTarget : Target
{
    private static readonly List<byte[]> s_seeds =
    [
        Encoding.UTF8.GetBytes("default deny # x\nallow path \"a b/**\" user alice user 7\n  group staff exe /bin/*\nstore path **.[jp]* cipher aegis-256 compression none block-size 64K\n"),
        Encoding.UTF8.GetBytes("ciphertext exe /usr/bin/tar\naudit path **/a**/?[!b-d]\\*\ndeny sha256 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"),
        Encoding.UTF8.GetBytes("allow path \"\\\"\\\\x\" path [\n\tdeny"),
    ];

    public override string Name => "policy";

    public override double Percent => 40;

    public override IReadOnlyList<byte[]> Seeds => s_seeds;

    public override void Run(byte[] input)
    {
        string text = Encoding.UTF8.GetString(input);
        PolicyDocument? policy = PolicyParser.TryParse(text, new FixedAccounts(), out IReadOnlyList<PolicyError> errors);
        if (policy is null)
        {
            if (errors.Count == 0 || errors.Any(error => error.Line < 1 || error.Message.Length == 0))
                throw new FindingException("refused without a reason");
            return;
        }
        PolicySubject subject = new(1001, [50], "/bin/cat", () => null);
        string path = text.Length > 256 ? text[..256] : text;
        PolicyDecision decision = policy.Decide(subject, path);
        string again = string.Join('\n', policy.Rules.Select(rule => rule.Text).Prepend($"default {policy.Default}".ToLowerInvariant()));
        PolicyDocument? rewritten = PolicyParser.TryParse(again, new FixedAccounts(), out _);
        if (rewritten is null || rewritten.Decide(subject, path).Action != decision.Action)
            throw new FindingException($"what is written again is another policy: {again}");
        _ = policy.CiphertextRule(subject);
    }
}
