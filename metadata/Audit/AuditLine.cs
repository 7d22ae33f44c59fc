using System;
using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Overlay.Crypto;

namespace Overlay.Metadata.Audit;

/// <summary>
/// A record as it lies in the log: a JSON object on a line, whose last member ties it to all before it.
/// <code>
/// line  = body ‖ ,"chain":" ‖ hex(chain) ‖ "} ‖ line feed
/// chain = HMAC-SHA-256(audit key, "audit record" ‖ chain of the record before, or 32 zeros ‖ body)
/// </code>
/// </summary>
internal static class AuditLine
{
    internal const int ChainSize = MessageMac.Size;

    private static ReadOnlySpan<byte> ChainMember => ",\"chain\":\""u8;

    private static ReadOnlySpan<byte> End => "\"}\n"u8;

    private static readonly int s_tailSize = ChainMember.Length + 2 * ChainSize + End.Length;
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a line behind others.</summary>
    /// <returns>Its chain value.</returns>
    internal static byte[] Write(ArrayBufferWriter<byte> log, long sequence, AuditEvent what, ReadOnlySpan<byte> key, byte[] before)
    {
        ArrayBufferWriter<byte> body = new();
        using (Utf8JsonWriter writer = new(body, s_options))
            WriteMembers(writer, sequence, what);
        // Without the brace at the end: the chain is the last member.
        ReadOnlySpan<byte> open = body.WrittenSpan[..^1];
        byte[] chain = Chain(key, before, open);
        log.Write(open);
        log.Write(ChainMember);
        log.Write(System.Text.Encoding.ASCII.GetBytes(Convert.ToHexStringLower(chain)));
        log.Write(End);
        return chain;
    }

    /// <summary>The chain value of a line (with its line feed), if it is what follows from the one before; else null.</summary>
    internal static byte[]? Check(ReadOnlySpan<byte> line, ReadOnlySpan<byte> key, byte[] before)
    {
        if (ClaimedChain(line) is not byte[] claimed)
            return null;
        return Secret.Same(Chain(key, before, line[..^s_tailSize]), claimed) ? claimed : null;
    }

    /// <summary>What a line says of itself.</summary>
    internal static byte[]? ClaimedChain(ReadOnlySpan<byte> line)
    {
        if (line.Length <= s_tailSize || !line.EndsWith(End) || !line[^s_tailSize..].StartsWith(ChainMember))
            return null;
        byte[] chain = new byte[ChainSize];
        return Convert.FromHexString(line.Slice(line.Length - s_tailSize + ChainMember.Length, 2 * ChainSize), chain, out _, out _) == OperationStatus.Done ? chain : null;
    }

    private static byte[] Chain(ReadOnlySpan<byte> key, byte[] before, ReadOnlySpan<byte> body)
    {
        byte[] chain = new byte[ChainSize];
        MessageMac.HmacSha256(key, [.. "audit record"u8, .. before, .. body], chain);
        return chain;
    }

    private static void WriteMembers(Utf8JsonWriter writer, long sequence, AuditEvent what)
    {
        writer.WriteStartObject();
        writer.WriteNumber("sequence", sequence);
        writer.WriteString("time", what.Time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        writer.WriteString("event", what.Kind);
        writer.WriteString("result", what.Result);
        writer.WriteNumber("uid", what.Subject.UserId);
        writer.WriteNumber("gid", what.Subject.GroupId);
        writer.WriteNumber("pid", what.Subject.ProcessId);
        writer.WriteString("exe", what.Subject.Executable);
        if (what.FileIds.Length == 1)
            writer.WriteString("file", Convert.ToHexStringLower(what.FileIds[0]));
        if (what.FileIds.Length > 1)
        {
            writer.WriteStartArray("files");
            foreach (byte[] id in what.FileIds)
                writer.WriteStringValue(Convert.ToHexStringLower(id));
            writer.WriteEndArray();
        }
        if (what.Path is not null)
            writer.WriteString("path", what.Path);
        if (what.Detail is not null)
            writer.WriteString("detail", what.Detail);
        if (what.Count > 1)
            writer.WriteNumber("count", what.Count);
        writer.WriteEndObject();
    }
}
