using System;
using System.Collections.Generic;
using System.Linq;

namespace Overlay.Metadata.Policy;

/// <summary>
/// A policy (docs/policy.md). Of the rules about keys the first that matches decides; of the rules about storage, for each of their three settings, the first
/// that matches and says it.
/// </summary>
public sealed class PolicyDocument
{
    internal PolicyDocument(string text, PolicyAction standard, IReadOnlyList<PolicyRule> rules, IReadOnlyList<StorageRule> storage) =>
        (Text, Default, Rules, Storage) = (text, standard, rules, storage);

    public string Text { get; }

    public PolicyAction Default { get; }

    public IReadOnlyList<PolicyRule> Rules { get; }

    public IReadOnlyList<StorageRule> Storage { get; }

    /// <summary>Some programs see ciphertext: they have to ask before they look.</summary>
    public bool HasCiphertextRules => Rules.Any(rule => rule.Action == PolicyAction.Ciphertext);

    /// <summary>Nobody has to be asked who he is.</summary>
    internal bool AllowsEverybody => Default == PolicyAction.Allow && Rules.All(rule => rule.Action == PolicyAction.Allow);

    /// <summary>Nothing that depends on who asks, or for which file.</summary>
    internal bool SaysNothing => AllowsEverybody && Storage.Count == 0;

    public PolicyDecision Decide(PolicySubject subject, string path)
    {
        foreach (PolicyRule rule in Rules)
            if (rule.MatchesPath(path) && rule.MatchesSubject(subject))
                return new PolicyDecision(rule.Action, rule, path);
        return new PolicyDecision(Default, null, path);
    }

    /// <summary>A file is known by several paths: the sternest decision counts.</summary>
    public PolicyDecision Decide(PolicySubject subject, IReadOnlyList<string> paths)
    {
        ArgumentOutOfRangeException.ThrowIfZero(paths.Count);
        PolicyDecision sternest = Decide(subject, paths[0]);
        for (int i = 1; i < paths.Count; i++)
            if (Decide(subject, paths[i]) is PolicyDecision other && other.Action > sternest.Action)
                sternest = other;
        return sternest;
    }

    /// <summary>It may have every file, without a word of it in the audit log: no file has to be looked at.</summary>
    internal bool AllowsEverything(PolicySubject subject) =>
        Default == PolicyAction.Allow && Rules.All(rule => rule.Action == PolicyAction.Allow || !rule.MatchesSubject(subject));

    /// <summary>The rule that lets this program see the volume as it lies on disk; null: it does not.</summary>
    public PolicyRule? CiphertextRule(PolicySubject subject)
    {
        PolicyRule? first = Rules.FirstOrDefault(rule => rule.Paths.Count == 0 && rule.MatchesSubject(subject));
        return first is { Action: PolicyAction.Ciphertext } ? first : null;
    }

    public FileSettings SettingsFor(string path, FileSettings standard)
    {
        List<StorageRule> matching = [.. Storage.Where(rule => rule.Matches(path))];
        return new FileSettings(
            matching.Find(rule => rule.Suite is not null)?.Suite ?? standard.Suite,
            matching.Find(rule => rule.Compress is not null)?.Compress ?? standard.Compress,
            matching.Find(rule => rule.BlockSizeLog2 is not null)?.BlockSizeLog2 ?? standard.BlockSizeLog2);
    }
}
