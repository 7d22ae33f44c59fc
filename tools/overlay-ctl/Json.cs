using System;
using System.IO;
using System.Text.Json;

namespace Overlay.Ctl;

internal static class Json
{
    /// <summary>Prints one indented object, whose members <paramref name="write"/> writes.</summary>
    internal static void Print(Action<Utf8JsonWriter> write)
    {
        using Stream output = Console.OpenStandardOutput();
        using (Utf8JsonWriter writer = new(output, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }
        output.Write("\n"u8);
    }
}
