using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.IO;
using System.Linq;
using Overlay.Crypto;
using Overlay.Format;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Policy;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Policies;

/// <summary>overlay-ctl policy test: what would be decided, and why.</summary>
internal sealed class TestCommand
{
    private readonly Argument<string> _volume = PolicyCommand.Volume();
    private readonly Argument<string> _path = new("PATH") { Description = "A file, relative to the volume; it need not exist." };
    private readonly Option<string> _exe = new("--exe") { Description = "The program.", HelpName = "FILE", Required = true };
    private readonly Option<string> _user = new("--user") { Description = "The user that it runs as.", HelpName = "NAME|UID", Required = true };
    private readonly Option<string[]> _group = new("--group") { Description = "A group of his; may be given several times. Default: those that the system knows him in.", HelpName = "NAME|GID" };
    private readonly Option<string?> _digest = new("--sha256") { Description = "The program's hash. Default: that of the file.", HelpName = "HEX" };
    private readonly Option<string?> _policy = new("--policy") { Description = "Try this policy, which is not in force.", HelpName = "FILE" };

    internal static Command Make()
    {
        TestCommand test = new();
        Command command = new("test", "Say what a policy decides, and by which rule. Exit status 0: the program may have the file, 10: it may not, 11: it sees ciphertext.")
        {
            test._volume, test._path, test._exe, test._user, test._group, test._digest, test._policy,
        };
        command.SetAction(test.Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        using MetadataStore store = VolumeUnlocker.OpenStore(parsed.GetValue(_volume)!);
        string root = new VolumePaths(parsed.GetValue(_volume)!).Root;
        PolicyDocument policy = PolicyOf(store, parsed.GetValue(_policy), root);
        PolicySubject subject = SubjectOf(parsed);
        string path = Relative(parsed.GetValue(_path)!, root);
        List<string> paths = [path];
        if (NotedPath(store, Path.Combine(root, path)) is string noted && noted != path)
            paths.Add(noted);
        PolicyDecision decision = policy.Decide(subject, paths);
        if (policy.CiphertextRule(subject) is PolicyRule rule)
            decision = new PolicyDecision(PolicyAction.Ciphertext, rule, path);
        Print(policy, decision, path, new FileSettings(store.Volume.Suite, store.Volume.Compress, store.Volume.BlockSizeLog2));
        return decision.Action switch { PolicyAction.Deny => ExitCodes.Denied, PolicyAction.Ciphertext => ExitCodes.Ciphertext, _ => ExitCodes.Ok };
    }

    private static PolicyDocument PolicyOf(MetadataStore store, string? file, string root)
    {
        if (file is not null)
            return PolicyFile.Read(file);
        IReadOnlyList<StoredPolicy> all = PolicyStore.ReadAll(store);
        if (all.Count > 0)
            return PolicyStore.Parse(all[^1], SystemAccounts.Instance, root);
        return PolicyParser.TryParse("", SystemAccounts.Instance, out _)!;
    }

    private PolicySubject SubjectOf(ParseResult parsed)
    {
        string exe = Posix.RealPath(parsed.GetValue(_exe)!) ?? Path.GetFullPath(parsed.GetValue(_exe)!);
        string user = parsed.GetValue(_user)!;
        uint userId = IdOf(user, "user", SystemAccounts.Instance.FindUser);
        string[] groups = parsed.GetValue(_group) ?? [];
        List<uint> groupIds = groups.Length > 0
            ? [.. groups.Select(group => IdOf(group, "group", SystemAccounts.Instance.FindGroup))] : AccountCalls.GroupsOf(user);
        string? digest = parsed.GetValue(_digest);
        return new PolicySubject(userId, groupIds, exe, () => digest?.ToLowerInvariant() ?? DigestOf(exe));
    }

    private static string? DigestOf(string exe)
    {
        if (!File.Exists(exe))
            return null;
        using FileStream file = new(exe, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        return FileDigest.Sha256(file);
    }

    private static uint IdOf(string text, string kind, Func<string, uint?> find) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint id) ? id
            : find(text) ?? throw new ControlException(ExitCodes.Usage, $"--{kind} {text}: there is none of that name here; a number would do.");

    private static string Relative(string path, string root) =>
        path.StartsWith(root + "/", StringComparison.Ordinal) ? path[(root.Length + 1)..] : path.TrimStart('/');

    /// <summary>Where the store knows the file to have been made.</summary>
    private static string? NotedPath(MetadataStore store, string path)
    {
        if (!File.Exists(path))
            return null;
        using RawFile file = new(path);
        Span<byte> head = stackalloc byte[FormatConstants.HeaderSize];
        bool isSealed = file.Read(0, head) == head.Length && FileHeader.Parse(head, out _) == HeaderFault.Ok;
        return isSealed && store.TryFindFile(FileHeader.FileIdOf(head))?.Path is { Length: > 0 } noted ? noted : null;
    }

    private static void Print(PolicyDocument policy, PolicyDecision decision, string path, FileSettings standard)
    {
        string outcome = decision.Action switch
        {
            PolicyAction.Allow => "allowed",
            PolicyAction.Audit => "allowed, if the audit log is on",
            PolicyAction.Ciphertext => "sees ciphertext",
            _ => "denied",
        };
        Console.WriteLine($"{path}: {outcome}");
        if (decision.Path != path)
            Console.WriteLine($"  by the path {decision.Path}, where it was made");
        Console.WriteLine($"  {decision.Reason}");
        FileSettings settings = policy.SettingsFor(path, standard);
        Console.WriteLine($"  a new file here: {settings.Suite.Name()}, {(settings.Compress ? "lz4" : "not compressed")}, blocks of {1 << settings.BlockSizeLog2} bytes");
    }
}
