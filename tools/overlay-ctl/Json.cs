using System;
using System.IO;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Overlay.Ctl;

internal static class Json
{
    /// <summary>It goes to a terminal or a program, not into a page: quotes stay readable, control characters are escaped.</summary>
    private static readonly JsonWriterOptions s_options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Prints one indented object, whose members <paramref name="write"/> writes.</summary>
    internal static void Print(Action<Utf8JsonWriter> write)
    {
        using Stream output = Console.OpenStandardOutput();
        using (Utf8JsonWriter writer = new(output, s_options))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }
        output.Write("\n"u8);
    }
}
