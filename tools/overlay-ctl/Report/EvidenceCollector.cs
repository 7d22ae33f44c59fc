using System;
using System.Collections.Generic;
using System.Linq;
using Overlay.Crypto;
using Overlay.Ctl.Data;
using Overlay.Metadata.Audit;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Report;

/// <summary>Looks at a volume, its store and its log.</summary>
internal static class EvidenceCollector
{
    private const int MostNamed = 50;
    private static readonly int[] s_ageLimits = [30, 90, 365, 730];

    internal static Evidence Collect(UnlockedVolume volume)
    {
        Evidence evidence = new()
        {
            Root = volume.Root, VolumeId = Convert.ToHexStringLower(volume.VolumeId.Span), StorePath = volume.Store.Path, Made = DateTimeOffset.UtcNow,
            VolumeCreated = volume.Store.Volume.Created, IsStoreApart = !volume.Store.Path.StartsWith(volume.Root + "/", StringComparison.Ordinal),
            NewFiles = $"{NameOf(volume.Suite)}, {(volume.Compress ? "lz4" : "not compressed")}, blocks of {1 << volume.BlockSizeLog2} bytes",
        };
        LookAtFiles(volume, evidence);
        LookAtKeys(volume, evidence);
        LookAtLog(volume, evidence);
        return evidence;
    }

    internal static string NameOf(CipherSuite suite) => suite switch
    {
        CipherSuite.Aes256Gcm => "aes-256-gcm",
        CipherSuite.Aegis256 => "aegis-256",
        CipherSuite.XChaCha20Poly1305 => "xchacha20-poly1305",
        _ => $"unknown ({(int)suite})",
    };

    private static void LookAtFiles(UnlockedVolume volume, Evidence evidence)
    {
        PlaintextScan scan = new(volume.Root);
        scan.Run();
        evidence.SealedFiles = scan.Sealed;
        evidence.StoredBytes = scan.StoredBytes;
        evidence.PlainCount = scan.Plain.Count;
        evidence.Plain.AddRange(scan.Plain.Take(MostNamed).Select(plain => TreePath.Show(plain.Path)));
        evidence.NotSound = scan.Foreign.Count + scan.Unsound.Count;
        evidence.NotLookedAt = scan.Unchecked.Count;
    }

    private static void LookAtKeys(UnlockedVolume volume, Evidence evidence)
    {
        foreach (FileRow row in volume.Store.ReadFiles().Where(row => row.State == FileState.Live))
        {
            string cipher = NameOf(row.Suite);
            evidence.FilesByCipher[cipher] = evidence.FilesByCipher.GetValueOrDefault(cipher) + 1;
            double days = (evidence.Made - row.Created).TotalDays;
            int age = Array.FindIndex(s_ageLimits, limit => days <= limit);
            evidence.Ages[age < 0 ? s_ageLimits.Length : age]++;
            if (evidence.OldestKey is null || row.Created < evidence.OldestKey)
                evidence.OldestKey = row.Created;
        }
        evidence.ShreddedFiles = volume.Store.Connection.QueryNumber("SELECT count(*) FROM shredded");
        foreach (KeyVersionRow version in volume.Store.ReadKeyVersions())
            evidence.VolumeKeys.Add((version.Version, version.State.ToString().ToLowerInvariant(), version.Created));
        foreach (KeySlotRow slot in volume.Store.ReadKeySlots())
            evidence.Slots.Add((slot.Id, slot.Cost is PassphraseCost cost ? $"passphrase (Argon2id, {cost.MemoryKiB / 1024} MiB, {cost.Iterations} passes)" : slot.Kind.ToString(), slot.Label, slot.Created));
    }

    private static void LookAtLog(UnlockedVolume volume, Evidence evidence)
    {
        using AuditLog? log = AuditLog.TryOpen(volume);
        if (log is null)
            return;
        AuditVerifier verifier = new(log, []);
        verifier.Run();
        evidence.IsAuditOn = verifier.IsOn;
        evidence.AuditRecords = verifier.Records;
        evidence.AuditFindings.AddRange(verifier.Findings);
        foreach (AuditRecord record in AuditReader.ReadAll(volume.Store.Path).Where(record => record.IsSound))
            Count(record, evidence);
    }

    private static void Count(AuditRecord record, Evidence evidence)
    {
        if (evidence.AuditSince.Length == 0)
            evidence.AuditSince = record.Time;
        evidence.Events[record.Event] = evidence.Events.GetValueOrDefault(record.Event) + record.Count;
        if (record.Event == AuditKinds.Administration && record.Detail?.StartsWith("verify", StringComparison.Ordinal) == true && record.Result != "begun")
            evidence.LastVerify = $"{record.Time}, {record.Result}";
        if (record.Event != AuditKinds.Grant || record.Time.Length < 10)
            return;
        evidence.GrantsByDay[record.Time[..10]] = evidence.GrantsByDay.GetValueOrDefault(record.Time[..10]) + record.Count;
        string program = record.Executable.Length > 0 ? record.Executable : "(not known)";
        evidence.GrantsByProgram[program] = evidence.GrantsByProgram.GetValueOrDefault(program) + record.Count;
        evidence.GrantsByUser[$"uid {record.UserId}"] = evidence.GrantsByUser.GetValueOrDefault($"uid {record.UserId}") + record.Count;
    }
}
