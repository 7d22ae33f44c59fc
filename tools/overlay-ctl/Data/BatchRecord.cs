using System;
using System.Buffers;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;

namespace Overlay.Ctl.Data;

/// <summary>
/// What an import in place was about when it was interrupted: written before the first plain file of a batch loses its name, removed when
/// the last one is deleted. Bytes are in hexadecimal digits: names need not be UTF-8.
/// </summary>
internal sealed record BatchRecord(List<StagedFile> Files, List<(byte[] Path, NodeStatus Status)> Directories)
{
    internal byte[] ToJson()
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("files");
            foreach (StagedFile file in Files)
                Write(writer, file);
            writer.WriteEndArray();
            writer.WriteStartArray("directories");
            foreach ((byte[] path, NodeStatus status) in Directories)
            {
                writer.WriteStartObject();
                writer.WriteString("path", Convert.ToHexStringLower(path));
                WriteTimes(writer, status);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    internal static BatchRecord Parse(byte[] json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return new BatchRecord(
                [.. document.RootElement.GetProperty("files").EnumerateArray().Select(Read)],
                [.. document.RootElement.GetProperty("directories").EnumerateArray().Select(item => (Bytes(item.GetProperty("path")), ReadTimes(item)))]);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new ControlException(ExitCodes.Volume, $".overlay/import/batch makes no sense ({exception.Message}): an import was interrupted, and what it was about is lost. Look at .overlay/import for plain files, move .overlay/import/batch away, and import again.");
        }
    }

    private static void Write(Utf8JsonWriter writer, StagedFile file)
    {
        writer.WriteStartObject();
        writer.WriteNumber("number", file.Number);
        writer.WriteNumber("plain", file.Plain.Inode);
        writer.WriteNumber("size", file.Plain.Size);
        WriteTimes(writer, file.Plain);
        writer.WriteNumber("sealed", file.Sealed);
        writer.WriteString("id", Convert.ToHexStringLower(file.FileId));
        writer.WriteStartArray("paths");
        foreach (byte[] path in file.Paths)
            writer.WriteStringValue(Convert.ToHexStringLower(path));
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static StagedFile Read(JsonElement item)
    {
        NodeStatus plain = ReadTimes(item);
        plain.Inode = item.GetProperty("plain").GetUInt64();
        plain.Size = item.GetProperty("size").GetInt64();
        return new StagedFile(item.GetProperty("number").GetInt32(), plain, item.GetProperty("sealed").GetUInt64(), Bytes(item.GetProperty("id")),
            [.. item.GetProperty("paths").EnumerateArray().Select(Bytes)]);
    }

    private static void WriteTimes(Utf8JsonWriter writer, in NodeStatus status)
    {
        writer.WriteNumber("modified", status.Modified.Seconds);
        writer.WriteNumber("modifiedNanoseconds", status.Modified.Nanoseconds);
        writer.WriteNumber("accessed", status.Accessed.Seconds);
        writer.WriteNumber("accessedNanoseconds", status.Accessed.Nanoseconds);
    }

    private static NodeStatus ReadTimes(JsonElement item) => new()
    {
        Modified = new NodeTime { Seconds = item.GetProperty("modified").GetInt64(), Nanoseconds = item.GetProperty("modifiedNanoseconds").GetUInt32() },
        Accessed = new NodeTime { Seconds = item.GetProperty("accessed").GetInt64(), Nanoseconds = item.GetProperty("accessedNanoseconds").GetUInt32() },
    };

    private static byte[] Bytes(JsonElement text) => Convert.FromHexString(text.GetString() ?? throw new FormatException("a text is missing"));
}
