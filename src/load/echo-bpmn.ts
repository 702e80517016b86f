/** A process of one external task, topic `echo`: what `longshore load --target operaton` runs where it is given no other. */
export const ECHO_BPMN = `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="longshore">
  <process id="longshore-echo" name="Echo" isExecutable="true" camunda:historyTimeToLive="P1D">
    <startEvent id="start"/>
    <sequenceFlow id="to-echo" sourceRef="start" targetRef="echo"/>
    <serviceTask id="echo" name="Echo" camunda:type="external" camunda:topic="echo"/>
    <sequenceFlow id="to-end" sourceRef="echo" targetRef="end"/>
    <endEvent id="end"/>
  </process>
</definitions>`;
