using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Overlay.Ctl.Report;

/// <summary>The same for programs.</summary>
internal static class JsonReport
{
    private static readonly JsonWriterOptions s_options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal static byte[] Write(Framework framework, Evidence e)
    {
        using MemoryStream output = new();
        using (Utf8JsonWriter writer = new(output, s_options))
        {
            writer.WriteStartObject();
            writer.WriteString("framework", framework.Name);
            writer.WriteString("title", framework.Title);
            writer.WriteString("made", e.Made.UtcDateTime);
            WriteRequirements(writer, framework, e);
            WriteInventory(writer, e);
            WriteKeys(writer, e);
            WriteAudit(writer, e);
            writer.WriteEndObject();
        }
        output.WriteByte((byte)'\n');
        return output.ToArray();
    }

    private static void WriteRequirements(Utf8JsonWriter writer, Framework framework, Evidence e)
    {
        writer.WriteStartArray("requirements");
        foreach (Requirement asked in framework.Requirements)
        {
            (Standing standing, string text) = asked.Judge(e);
            writer.WriteStartObject();
            writer.WriteString("id", asked.Id);
            writer.WriteString("asks", asked.Asks);
            writer.WriteString("standing", standing switch { Standing.Supported => "supported", Standing.Attention => "attention", _ => "not-covered" });
            writer.WriteString("evidence", text);
            writer.WriteString("verb", asked.Verb);
            writer.WriteString("notCovered", asked.NotCovered);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static void WriteInventory(Utf8JsonWriter writer, Evidence e)
    {
        writer.WriteStartObject("inventory");
        writer.WriteString("volume", e.Root);
        writer.WriteString("volumeId", e.VolumeId);
        writer.WriteString("store", e.StorePath);
        writer.WriteString("newFiles", e.NewFiles);
        writer.WriteNumber("sealedFiles", e.SealedFiles);
        writer.WriteNumber("storedBytes", e.StoredBytes);
        writer.WriteNumber("plainFiles", e.PlainCount);
        writer.WriteNumber("ofNeitherKind", e.NotSound);
        writer.WriteNumber("notLookedAt", e.NotLookedAt);
        WriteCounts(writer, "filesByCipher", e.FilesByCipher);
        writer.WriteEndObject();
    }

    private static void WriteKeys(Utf8JsonWriter writer, Evidence e)
    {
        writer.WriteStartObject("keys");
        writer.WriteNumber("volumeKeyDays", e.VolumeKeyDays);
        writer.WriteNumber("oldestFileKeyDays", e.OldestKeyDays);
        writer.WriteNumber("shreddedFiles", e.ShreddedFiles);
        writer.WriteStartObject("filesByKeyAge");
        for (int i = 0; i < e.Ages.Length; i++)
            writer.WriteNumber(Evidence.AgeNames[i], e.Ages[i]);
        writer.WriteEndObject();
        writer.WriteStartArray("slots");
        foreach ((int id, string kind, string label, DateTimeOffset created) in e.Slots)
        {
            writer.WriteStartObject();
            writer.WriteNumber("slot", id);
            writer.WriteString("kind", kind);
            writer.WriteString("label", label);
            writer.WriteString("created", created.UtcDateTime);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteAudit(Utf8JsonWriter writer, Evidence e)
    {
        writer.WriteStartObject("audit");
        writer.WriteBoolean("isOn", e.IsAuditOn);
        writer.WriteNumber("records", e.AuditRecords);
        writer.WriteNumber("findings", e.AuditFindings.Count);
        writer.WriteString("since", e.AuditSince);
        writer.WriteString("lastVerify", e.LastVerify);
        WriteCounts(writer, "events", e.Events);
        WriteCounts(writer, "grantsByDay", e.GrantsByDay);
        WriteCounts(writer, "grantsByProgram", e.GrantsByProgram);
        WriteCounts(writer, "grantsByUser", e.GrantsByUser);
        writer.WriteEndObject();
    }

    private static void WriteCounts(Utf8JsonWriter writer, string name, IEnumerable<KeyValuePair<string, long>> counts)
    {
        writer.WriteStartObject(name);
        foreach ((string label, long count) in counts)
            writer.WriteNumber(label, count);
        writer.WriteEndObject();
    }
}
