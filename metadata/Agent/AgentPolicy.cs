using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.Data.Sqlite;
using Overlay.Metadata.Audit;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Policy;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Agent;

/// <summary>
/// A volume's policy, as its agent keeps it: asked before anything is given, and looked up anew whenever another process has changed the store. A policy
/// that is not sound gives nothing to anybody.
/// </summary>
internal sealed class AgentPolicy(KeyPool pool, AgentAudit audit, LogLimiter log) : IDisposable
{
    private readonly ExecutableDigests _digests = new();
    private SqliteCommand? _version;
    private long _seenVersion = -1, _newest;
    private StoredPolicy? _stored;
    private PolicyDocument? _document;

    /// <summary>Null: there is none, or it says nothing. It takes effect with the next question.</summary>
    /// <exception cref="VolumeException">It was tampered with, or cannot be kept.</exception>
    internal PolicyDocument? Current()
    {
        // Moves with every commit of another connection.
        StoreConnection store = pool.Volume.Store.Connection;
        _version ??= store.Prepare("PRAGMA data_version");
        long version = store.Guard(() => (long)_version.ExecuteScalar()!);
        if (version == _seenVersion)
            return _document;
        Load();
        _seenVersion = version; // only after it: what could not be read is read again
        return _document;
    }

    /// <summary>May it have the key of that file, or what the key opens?</summary>
    /// <param name="file">The file's descriptor, or -1.</param>
    /// <param name="mayGiveOthers">It may have keys of files that it has not asked for.</param>
    /// <returns>0, or the errno to answer.</returns>
    internal int Judge(Connection client, ReadOnlySpan<byte> fileId, int file, out bool mayGiveOthers)
    {
        PolicyDocument? policy = Current();
        mayGiveOthers = policy is null || policy.AllowsEverybody;
        if (mayGiveOthers || pool.Volume.Store.TryFindFile(fileId) is null)
            return 0; // a key that is not there is refused by whoever looks for it
        if (SubjectOf(client) is not PolicySubject subject)
            return Errno.KeyRejected;
        if (mayGiveOthers = policy!.AllowsEverything(subject))
            return 0;
        if (file < 0)
            return Errno.DestinationRequired;
        RequestedFile asked = RequestedFile.Look(file, pool.Volume);
        byte[] id = fileId.ToArray();
        if (!asked.FileId.AsSpan().SequenceEqual(id))
            return Refuse(subject, client, asked.Path, "the descriptor that came with the question is not the file's", id);
        return Decide(policy, subject, client, asked.Paths(audit.PathOf(id)), id);
    }

    /// <summary>May it have the key of any file?</summary>
    internal bool GivesAll(Connection client)
    {
        PolicyDocument? policy = Current();
        return policy is null || policy.AllowsEverybody || (SubjectOf(client) is PolicySubject subject && policy.AllowsEverything(subject));
    }

    /// <summary>May it have keys for new files?</summary>
    /// <param name="file">The new file's descriptor, or -1.</param>
    /// <param name="place">The one file that a key is for; null: keys for any files.</param>
    /// <returns>0, or the errno to answer.</returns>
    internal int JudgeNew(Connection client, int file, out NewFile? place)
    {
        place = null;
        FileSettings standard = new(pool.Volume.Suite, pool.Volume.Compress, pool.Volume.BlockSizeLog2);
        PolicyDocument? policy = Current();
        if (policy is null)
        {
            place = file < 0 ? null : new NewFile("", standard);
            return 0;
        }
        PolicySubject? subject = policy.AllowsEverybody ? null : SubjectOf(client);
        if (!policy.AllowsEverybody && subject is null)
            return Errno.KeyRejected;
        bool isFree = subject is null || policy.AllowsEverything(subject);
        if (file < 0)
            return isFree && policy.Storage.Count == 0 ? 0 : Errno.DestinationRequired;
        string path = RequestedFile.Look(file, pool.Volume).Path;
        place = new NewFile(path, policy.SettingsFor(path, standard));
        return isFree ? 0 : Decide(policy, subject!, client, path.Length > 0 ? [path] : [], null);
    }

    /// <summary>Does the program see files as they lie on disk?</summary>
    internal bool SeesCiphertext(Connection client)
    {
        PolicyDocument? policy = Current();
        PolicySubject? subject = policy is { HasCiphertextRules: true } ? SubjectOf(client) : null;
        if (subject is null || policy!.CiphertextRule(subject) is not PolicyRule rule)
            return false;
        Log($"policy: {Name(subject)} (user {subject.UserId}, process {client.ProcessId}) sees {pool.Volume.Root} as it lies on disk: line {rule.Line}: {rule.Text}");
        return true;
    }

    /// <summary>Who is at the other end. Null: he cannot be told, and that was logged.</summary>
    private PolicySubject? SubjectOf(Connection client)
    {
        string complaint = "nobody looked when it connected";
        PolicySubject? subject = client.Peer?.Look(_digests, out complaint);
        if (subject is not null)
            return subject;
        log.Write($"policy: process {client.ProcessId} (user {client.UserId}) gets nothing: {complaint}");
        audit.Denied(AgentAudit.SubjectOf(client), null, $"policy: {complaint}");
        return null;
    }

    /// <param name="paths">What the file is known by; none: nothing is.</param>
    private int Decide(PolicyDocument policy, PolicySubject subject, Connection client, IReadOnlyList<string> paths, byte[]? fileId)
    {
        if (paths.Count == 0)
            return Refuse(subject, client, "a file", "its path cannot be told, and the policy goes by paths", fileId);
        PolicyDecision decision = policy.Decide(subject, paths);
        if (!decision.GivesKey)
            return Refuse(subject, client, decision.Path, decision.Reason, fileId);
        if (decision.Action == PolicyAction.Audit && !audit.Begin())
            return Refuse(subject, client, decision.Path, $"the audit log is off, and {decision.Reason}", fileId);
        return 0;
    }

    public void Dispose() => _version?.Dispose();

    private int Refuse(PolicySubject subject, Connection client, string path, string reason, byte[]? fileId)
    {
        Log($"policy: {path} of {pool.Volume.Root} was refused to {Name(subject)} (user {subject.UserId}, process {client.ProcessId}): {reason}");
        AuditSubject who = new(subject.UserId, subject.GroupIds.Count > 0 ? subject.GroupIds[0] : client.GroupId, client.ProcessId, subject.Executable);
        audit.Denied(who, fileId, $"policy: {reason}", path);
        return Errno.KeyRejected;
    }

    /// <summary>Names are programs' to choose: none becomes a line of its own.</summary>
    private void Log(string line) => log.Write(string.Concat(line.Select(c => char.IsControl(c) ? '?' : c)));

    private static string Name(PolicySubject subject) => subject.IsUnreadable ? "a program that cannot be told" : subject.Executable;

    private void Load()
    {
        StoredPolicy? newest = PolicyStore.ReadNewest(pool.Volume);
        if ((newest?.Version ?? 0) < _newest)
        {
            throw new VolumeException(VolumeError.StoreDamaged,
                $"The policy of {pool.Volume.Root} was put back from version {_newest} to {newest?.Version ?? 0} while its agent runs: no keys are given. Start the agent again if that is meant.");
        }
        if (newest is null || (_stored is not null && newest.Signature.Span.SequenceEqual(_stored.Signature.Span)))
            return;
        PolicyDocument document = PolicyStore.Parse(newest, SystemAccounts.Instance, pool.Volume.Root);
        (_stored, _newest) = (newest, newest.Version);
        _document = document.SaysNothing ? null : document;
    }
}
