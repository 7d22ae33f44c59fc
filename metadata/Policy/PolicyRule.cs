using System;
using System.Collections.Generic;
using System.Linq;

namespace Overlay.Metadata.Policy;

/// <summary>A rule about who may have keys. Conditions of one kind: any of them; of different kinds: all. No condition: it matches.</summary>
public sealed class PolicyRule
{
    internal PolicyRule(int line, PolicyAction action, string text) => (Line, Action, Text) = (line, action, text);

    /// <summary>Where it begins in the document; its name in logs.</summary>
    public int Line { get; }

    public PolicyAction Action { get; }

    /// <summary>As it was written.</summary>
    public string Text { get; }

    internal List<PathPattern> Paths { get; } = [];

    internal List<PathPattern> Executables { get; } = [];

    /// <summary>SHA-256, in lower case.</summary>
    internal List<string> Digests { get; } = [];

    internal List<uint> Users { get; } = [];

    internal List<uint> Groups { get; } = [];

    /// <summary>What is not known of a program is held against it: it meets conditions of rules that take away, and none of rules that give.</summary>
    private bool TakesAway => Action is PolicyAction.Deny or PolicyAction.Ciphertext;

    internal bool MatchesPath(string path) => Paths.Count == 0 || Paths.Any(pattern => pattern.Matches(path));

    internal bool MatchesSubject(PolicySubject subject) =>
        (Users.Count == 0 || Users.Contains(subject.UserId))
        && (Groups.Count == 0 || Groups.Any(group => subject.GroupIds.Contains(group)))
        && (Executables.Count == 0 || MatchesExecutable(subject))
        && (Digests.Count == 0 || MatchesDigest(subject));

    private bool MatchesExecutable(PolicySubject subject) =>
        subject.IsUnreadable ? TakesAway : (TakesAway || subject.IsExecutableConfirmed) && Executables.Any(pattern => pattern.Matches(subject.Executable));

    private bool MatchesDigest(PolicySubject subject) => subject.Digest is string digest ? Digests.Contains(digest, StringComparer.Ordinal) : TakesAway;
}
