using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Overlay.Crypto;
using Overlay.Metadata.Audit;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Agent;

/// <summary>
/// What the agent of a volume records. Grants wait up to half a second for others, to be written together; a denial is on the disk before it
/// is answered. If the log cannot be written no keys are given until it can (docs/audit.md).
/// </summary>
internal sealed class AgentAudit(KeyPool pool) : IDisposable
{
    internal const long FlushMilliseconds = 500;

    private const long CheckMilliseconds = 1_000, RepeatMilliseconds = 1_000;
    private const int MostKnownDenials = 1_024;

    private readonly Dictionary<string, (long At, AuditEvent? Repeated)> _denials = [];
    private AuditLog? _log;
    private bool _isOn, _isBlocked;
    private long _checkedAt = -CheckMilliseconds, _pendingSince = -1;

    /// <summary>When <see cref="Flush"/> is due, by <see cref="Environment.TickCount64"/>.</summary>
    internal long DueAt => _pendingSince < 0 ? long.MaxValue : _pendingSince + FlushMilliseconds;

    /// <summary>Asked before anything is given. Switching the log on or off is noticed within a second.</summary>
    /// <returns>Is it on?</returns>
    /// <exception cref="VolumeException">It is, and cannot be written: nothing may be given.</exception>
    internal bool Begin()
    {
        if (Environment.TickCount64 - _checkedAt >= CheckMilliseconds)
            Check();
        if (_isOn && (_isBlocked || _log!.IsFull))
            Flush();
        return _isOn;
    }

    /// <summary>The key of a file was given, or what it opens.</summary>
    internal void Granted(Connection to, ReadOnlySpan<byte> fileId, string? detail = null)
    {
        if (!_isOn)
            return;
        Add(new AuditEvent(AuditKinds.Grant, SubjectOf(to), "ok") { FileIds = [fileId.ToArray()], Path = PathOf(fileId), Detail = detail });
    }

    internal void GrantedNew(Connection to, byte[][] fileIds)
    {
        if (_isOn)
            Add(new AuditEvent(AuditKinds.NewKeys, SubjectOf(to), "ok") { FileIds = fileIds });
    }

    internal void Created(Connection by, ReadOnlySpan<byte> fileId, string path)
    {
        if (_isOn)
            Add(new AuditEvent(AuditKinds.Created, SubjectOf(by), "ok") { FileIds = [fileId.ToArray()], Path = path });
    }

    /// <summary>On the disk when this returns; but what was denied to the same program a moment ago is counted.</summary>
    /// <param name="path">Where the file is, if that is better known than by the store.</param>
    internal void Denied(AuditSubject who, byte[]? fileId, string result, string? path = null)
    {
        if (!Begin())
            return;
        string key = $"{who.UserId} {who.Executable} {result} {(fileId is null ? path : Convert.ToHexStringLower(fileId))}";
        long now = Environment.TickCount64;
        bool isKnown = _denials.TryGetValue(key, out (long At, AuditEvent? Repeated) known) && now - known.At < RepeatMilliseconds;
        if (isKnown && known.Repeated is AuditEvent repeated)
        {
            repeated.Count++;
            return;
        }
        AuditEvent denial = new(AuditKinds.Denied, who, result) { FileIds = fileId is null ? [] : [fileId], Path = path ?? (fileId is null ? null : PathOf(fileId)) };
        if (_denials.Count >= MostKnownDenials)
            _denials.Clear();
        _denials[key] = isKnown ? (known.At, denial) : (now, null);
        Add(denial);
        if (!isKnown)
            Flush();
    }

    /// <summary>Writes what waits.</summary>
    internal void Flush()
    {
        if (_log is not { HasPending: true } && !_isBlocked)
            return;
        try
        {
            _log!.Flush();
            _isBlocked = false;
            _pendingSince = -1;
            foreach (string key in _denials.Where(denial => denial.Value.Repeated is not null).Select(denial => denial.Key).ToList())
                _denials.Remove(key);
        }
        catch (Exception e) when (e is VolumeException or ErrnoException)
        {
            _isBlocked = true;
            throw;
        }
    }

    public void Dispose() => _log?.Dispose();

    internal static AuditSubject SubjectOf(Connection client) => client.Subject ??= new AuditSubject(
        client.UserId, client.GroupId, client.ProcessId, ExecutableOf(client.ProcessId));

    /// <summary>"" if the process is gone, or not ours to look at.</summary>
    internal static string ExecutableOf(int processId)
    {
        try
        {
            return new FileInfo($"/proc/{processId.ToString(System.Globalization.CultureInfo.InvariantCulture)}/exe").LinkTarget ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>Where it was last known to be; null: nowhere.</summary>
    internal string? PathOf(ReadOnlySpan<byte> fileId) =>
        pool.Volume.Store.TryFindFile(fileId)?.Path is { Length: > 0 } path ? path : pool.PathNoted(fileId);

    private void Add(AuditEvent what)
    {
        _log!.Add(what);
        if (_pendingSince < 0)
            _pendingSince = Environment.TickCount64;
    }

    private void Check()
    {
        _log ??= AuditLog.TryOpen(pool.Volume);
        _isOn = _log is { IsOn: true };
        // Only after it: whoever could not look has to look again.
        _checkedAt = Environment.TickCount64;
    }
}
