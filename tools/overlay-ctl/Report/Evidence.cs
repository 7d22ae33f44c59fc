using System;
using System.Collections.Generic;

namespace Overlay.Ctl.Report;

/// <summary>What a report rests on: everything was looked at when the report was made.</summary>
internal sealed class Evidence
{
    internal required string Root { get; init; }

    internal required string VolumeId { get; init; }

    internal required string StorePath { get; init; }

    internal required DateTimeOffset Made { get; init; }

    internal required DateTimeOffset VolumeCreated { get; init; }

    internal required string NewFiles { get; init; }

    internal bool IsStoreApart { get; init; }

    // What lies in the volume.
    internal long SealedFiles { get; set; }

    internal long StoredBytes { get; set; }

    internal List<string> Plain { get; } = [];

    internal long PlainCount { get; set; }

    internal long NotSound { get; set; }

    internal long NotLookedAt { get; set; }

    // Keys.
    internal SortedDictionary<string, long> FilesByCipher { get; } = new(StringComparer.Ordinal);

    /// <summary>Files by the age of their keys, in the order of <see cref="AgeNames"/>.</summary>
    internal long[] Ages { get; } = new long[AgeNames.Length];

    internal static string[] AgeNames { get; } = ["up to 30 days", "31 to 90 days", "91 to 365 days", "1 to 2 years", "more than 2 years"];

    internal DateTimeOffset? OldestKey { get; set; }

    internal List<(int Version, string State, DateTimeOffset Created)> VolumeKeys { get; } = [];

    internal List<(int Id, string Kind, string Label, DateTimeOffset Created)> Slots { get; } = [];

    internal long ShreddedFiles { get; set; }

    // The audit log.
    internal bool IsAuditOn { get; set; }

    internal long AuditRecords { get; set; }

    internal List<string> AuditFindings { get; } = [];

    internal string AuditSince { get; set; } = "";

    internal SortedDictionary<string, long> Events { get; } = new(StringComparer.Ordinal);

    internal SortedDictionary<string, long> GrantsByDay { get; } = new(StringComparer.Ordinal);

    internal Dictionary<string, long> GrantsByProgram { get; } = new(StringComparer.Ordinal);

    internal Dictionary<string, long> GrantsByUser { get; } = new(StringComparer.Ordinal);

    internal string LastVerify { get; set; } = "";

    internal bool IsEverythingSealed => PlainCount == 0 && NotSound == 0 && NotLookedAt == 0;

    internal bool IsAuditSound => IsAuditOn && AuditFindings.Count == 0;

    internal long CountOf(string kind) => Events.GetValueOrDefault(kind);

    /// <summary>Days since the volume key was made or changed.</summary>
    internal int VolumeKeyDays => VolumeKeys.Count == 0 ? 0 : (int)(Made - VolumeKeys[^1].Created).TotalDays;

    internal int OldestKeyDays => OldestKey is DateTimeOffset oldest ? (int)(Made - oldest).TotalDays : 0;
}
