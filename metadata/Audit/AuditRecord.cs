using System;
using System.Collections.Generic;
using System.Text.Json;

namespace Overlay.Metadata.Audit;

/// <summary>A record as it was read back.</summary>
/// <param name="Line">With its line feed.</param>
public sealed record AuditRecord(ReadOnlyMemory<byte> Line)
{
    private JsonElement? _members;

    internal byte[]? Chain => AuditLine.ClaimedChain(Line.Span);

    public bool IsSound => Members.ValueKind == JsonValueKind.Object;

    public long Sequence => Number("sequence") ?? -1;

    public string Time => Text("time") ?? "";

    public string Event => Text("event") ?? "";

    public string Result => Text("result") ?? "";

    public long UserId => Number("uid") ?? -1;

    public long GroupId => Number("gid") ?? -1;

    public long ProcessId => Number("pid") ?? -1;

    public string Executable => Text("exe") ?? "";

    public string? File => Text("file");

    public string? Path => Text("path");

    public string? Detail => Text("detail");

    public long Count => Number("count") ?? 1;

    /// <summary>How many keys it is about.</summary>
    public int Files => File is not null ? 1 : Members.ValueKind == JsonValueKind.Object && Members.TryGetProperty("files", out JsonElement files) && files.ValueKind == JsonValueKind.Array ? files.GetArrayLength() : 0;

    private JsonElement Members => _members ??= Parse();

    private JsonElement Parse()
    {
        try
        {
            return JsonDocument.Parse(Line).RootElement;
        }
        catch (JsonException)
        {
            return default; // verify says that it was changed
        }
    }

    private string? Text(string name) =>
        IsSound && Members.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private long? Number(string name) =>
        IsSound && Members.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) ? number : null;
}
